// What all Node sides share: the marks of probe.py, byte for byte, and the same commands.
//
//   node SIDE.mjs COMMAND [ARGUMENT...]

import fs from "node:fs";

const BATCH = 1000;
const WARM = 20;
const HOME = process.env.BENCH_DIR;
export const URL = process.env.BENCH_URL;

/** Seconds by CLOCK_MONOTONIC, as time.monotonic() of Python. */
const now = () => Number(process.hrtime.bigint()) / 1e9;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const slot = Buffer.alloc(24);
let file = null;
let count = 0;
let first = 0;
let last = 0;
let due = false;

// Node cannot map a file into memory: the marks are counted in memory and written a few milliseconds later.
function write() {
  due = false;
  slot.writeBigUInt64LE(BigInt(count), 0);
  slot.writeDoubleLE(first, 8);
  slot.writeDoubleLE(last, 16);
  fs.writeSync(file, slot, 0, slot.length, 0);
}

/** Count one run. */
export function mark() {
  last = now();
  count += 1;
  if (file === null) {
    file = fs.openSync(`${HOME}/${process.pid}.slot`, "w");
    first = last;
    write();
  } else if (!due) {
    due = true;
    setTimeout(write, 3);
  }
}

/** Write down how long it took until this job ran. */
export function started(sent) {
  fs.appendFileSync(`${HOME}/latencies`, `${now() - sent}\n`);
}

/** Write down that this job runs; its first run stays. */
export async function held(path) {
  const again = fs.existsSync(path);
  fs.appendFileSync(path, `${now()}\n`);
  if (!again) await sleep(600_000);
}

const commands = {
  async one(producer, seconds) {
    for (let n = 0; n < WARM; n += 1) await producer.noop(n);
    const began = now();
    let made = 0;
    let took = 0;
    while (took < Number(seconds)) {
      await producer.noop(made);
      made += 1;
      took = now() - began;
    }
    console.log(JSON.stringify({ count: made, seconds: took }));
  },

  async bulk(producer, total) {
    const began = now();
    for (let start = 0; start < Number(total); start += BATCH) {
      const size = Math.min(BATCH, Number(total) - start);
      await producer.bulk(Array.from({ length: size }, (_, index) => start + index));
    }
    console.log(JSON.stringify({ count: Number(total), seconds: now() - began }));
  },

  async stamps(producer, total, everyMs) {
    const began = now();
    for (let n = 0; n < Number(total); n += 1) {
      await sleep(Math.max(0, (began - now()) * 1000 + n * Number(everyMs)));
      await producer.stamp(now());
    }
  },

  async hold(producer, path) {
    await producer.hold(path);
  },

  async trickle(producer, everyMs) {
    for (let n = 0; ; n += 1) {
      await producer.noop(n);
      await sleep(Number(everyMs));
    }
  },
};

/** Do what the command line says. A worker goes on until it is killed. */
export async function main({ install, worker, producer }) {
  const [command, ...words] = process.argv.slice(2);
  if (command === "worker") return worker();
  if (command === "install") await install();
  else await commands[command](await producer(), ...words);
  return process.exit(0);
}
