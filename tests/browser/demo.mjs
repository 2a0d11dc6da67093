/** The demo as a process of its own, and its org. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How long the demo may take to say where it is. */
const STARTS_WITHIN = 30_000;

export class Demo {
  /** Starts `byoc demo` (the program that `BYOC` names) on a free port. */
  static async start() {
    const program = process.env.BYOC;
    if (!program) throw new Error("BYOC does not say where the program is; scripts/browser-test does");
    const child = spawn(program, ["demo", "--port", "0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(child.stdout);
    const [line] = await Promise.race([
      once(lines, "line", { signal: AbortSignal.timeout(STARTS_WITHIN) }),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`the demo has ended, with ${code}`))),
    ]);
    return new Demo(child, JSON.parse(line));
  }

  constructor(child, said) {
    this.child = child;
    this.address = new URL(said.address).origin;
  }

  async stop() {
    if (this.child.exitCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const killer = setTimeout(() => this.child.kill("SIGKILL"), 15_000);
    const [code] = await exit;
    clearTimeout(killer);
    if (code !== 0) throw new Error(`the demo ended with ${code}`);
  }

  async org(path, body) {
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${this.address}/emulator/v1/${path}`, { ...init, signal });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path}: ${answer.error}`);
    return answer;
  }

  /** Ends what is going on, and lets every rep wait for a click instead of playing a script. */
  async tidy() {
    const { reps, conversations } = await this.org("state");
    const silent = reps.map(({ capacityUsed, ...rep }) => ({ ...rep, script: { does: "wait" } }));
    await this.org("reps", silent);
    for (const { id, status } of conversations) {
      if (status !== "Ended") await this.org("acts", { act: "endSession", conversation: id });
    }
  }

  /** The people and places of the org, as they are now. */
  async people() {
    const { reps, queues, flows } = await this.org("state");
    const names = await (await fetch(`${this.address}/console/names`)).json();
    const online = reps.filter((rep) => rep.messaging && rep.availability !== "OFFLINE");
    const known = new Set([...reps, ...flows].map((it) => it.id).concat(queues));
    return {
      names,
      online,
      queues,
      flows: flows.map((it) => it.id),
      outside: Object.keys(names).filter((id) => !known.has(id)),
      /** A queue with at least so many reps who can be rung at, besides one. */
      queueWith(count, besides) {
        const serving = (queue) => online.filter((rep) => rep.id !== besides && rep.queues.includes(queue));
        const queue = queues.find((it) => serving(it).length >= count);
        if (queue === undefined) throw new Error(`the demo has no queue with ${count} reps besides ${besides}`);
        return { queue, reps: serving(queue) };
      },
    };
  }
}
