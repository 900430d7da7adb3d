// graphile-worker with its local queue and batched completion. Each line of standard input is a
// command, `fill N` or `drain N`; each answer is a line of JSON.
const { run, makeWorkerUtils, Logger } = require('graphile-worker');
const { Pool } = require('pg');

const AT_ONCE = 24;
const CHUNK = 1000;
const pgPool = new Pool({ connectionString: process.argv[2], max: AT_ONCE + 2 });
const logger = new Logger(() => () => {});

async function fill(utils, jobs) {
  for (let n = 0; n < jobs; n += CHUNK) {
    await utils.addJobs(Array.from({ length: CHUNK }, (_, i) => ({ identifier: 'noop', payload: { n: n + i } })));
  }
  return {};
}

async function drain(jobs) {
  let done = 0;
  const began = process.hrtime.bigint();
  const runner = await run({
    pgPool,
    logger,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList: { noop: async () => { done += 1; } },
    preset: { worker: { concurrentJobs: AT_ONCE, maxPoolSize: AT_ONCE + 2, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  });
  // Done is a job whose row is gone.
  for (;;) {
    await new Promise((resume) => setTimeout(resume, 2));
    if (done < jobs) continue;
    const { rows } = await pgPool.query('SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS left');
    if (!rows[0].left) break;
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  await runner.stop();
  return { rate: jobs / seconds };
}

async function main() {
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  console.log('{}');
  const lines = require('readline').createInterface({ input: process.stdin });
  for await (const line of lines) {
    const [command, count] = line.split(' ');
    console.log(JSON.stringify(await (command === 'fill' ? fill(utils, Number(count)) : drain(Number(count)))));
  }
  await utils.release();
  await pgPool.end();
}

main();
