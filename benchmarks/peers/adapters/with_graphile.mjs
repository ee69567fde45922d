// Graphile Worker, as configured in "Quick stats" of its page on performance: 24 at a time, a local queue of 500, batched completion.

import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { URL, held, main, mark, started } from "./probe.mjs";

const logger = new Logger(() => () => {});

const preset = {
  worker: {
    connectionString: URL,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    logger,
  },
};

const taskList = {
  noop: async () => mark(),
  stamp: async ({ sent }) => started(sent),
  hold: async ({ path }) => held(path),
};

await main({
  async install() {
    const utils = await makeWorkerUtils({ connectionString: URL, logger });
    await utils.migrate();
    await utils.release();
  },

  async worker() {
    const runner = await run({ preset, taskList });
    await runner.promise;
  },

  async producer() {
    const utils = await makeWorkerUtils({ connectionString: URL, logger });
    return {
      noop: (n) => utils.addJob("noop", { n }),
      bulk: (numbers) => utils.addJobs(numbers.map((n) => ({ identifier: "noop", payload: { n } }))),
      stamp: (sent) => utils.addJob("stamp", { sent }),
      hold: (path) => utils.addJob("hold", { path }),
    };
  },
});
