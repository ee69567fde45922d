"""Where jobs are kept: the port that every engine implements, and the engines."""
