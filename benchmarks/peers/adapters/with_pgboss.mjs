// pg-boss: batches of 500, fetched without a pause while they come back full, by two at a time, and woken by NOTIFY.

import { PgBoss } from "pg-boss";
import { URL, held, main, mark, started } from "./probe.mjs";

const QUEUES = ["noop", "stamp", "hold"];
// One of its workers waits for the database while the other works: measured, 1.5 times as fast as with one.
const fast = { batchSize: 500, localConcurrency: 2, burstWhenBatchFull: true };

async function connect() {
  const boss = new PgBoss({ connectionString: URL, useListenNotify: true });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}

await main({
  async install() {
    const boss = await connect();
    for (const name of QUEUES) await boss.createQueue(name, { notify: true });
    await boss.stop({ graceful: false });
  },

  async worker() {
    const boss = await connect();
    await boss.work("noop", fast, async (jobs) => {
      for (let index = 0; index < jobs.length; index += 1) mark();
    });
    await boss.work("stamp", fast, async (jobs) => {
      for (const job of jobs) started(job.data.sent);
    });
    await boss.work("hold", fast, async (jobs) => {
      for (const job of jobs) await held(job.data.path);
    });
  },

  async producer() {
    const boss = await connect();
    return {
      noop: (n) => boss.send("noop", { n }),
      bulk: (numbers) => boss.insert("noop", numbers.map((n) => ({ data: { n } }))),
      stamp: (sent) => boss.send("stamp", { sent }),
      hold: (path) => boss.send("hold", { path }),
    };
  },
});
