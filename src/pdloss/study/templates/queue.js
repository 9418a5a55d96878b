// What has to outlive the page: who is answering, and the answers that the server has not acknowledged yet.

import { Refused, ask, passes, patiently } from "./requests.js";

export class Memory {
  constructor(name) {
    this.name = name;
    this.inside = {}; // where the browser keeps nothing, as some do in private windows
    this.kept = true;
  }

  read() {
    if (!this.kept) return this.inside;
    try {
      return JSON.parse(localStorage.getItem(this.name)) || {};
    } catch {
      return this.inside;
    }
  }

  write(changes) {
    this.inside = { ...this.read(), ...changes };
    try {
      localStorage.setItem(this.name, JSON.stringify(this.inside));
    } catch {
      this.kept = false; // but above, as long as the page is open
    }
  }

  clear() {
    this.inside = {};
    try {
      localStorage.removeItem(this.name);
    } catch {
      // there was nothing
    }
  }
}

export class Queue {
  // `told(waiting, error)` hears how many answers wait, `moved(position)` that the server expects another question.
  constructor(memory, told, moved) {
    this.memory = memory;
    this.told = told;
    this.moved = moved;
    this.sending = null;
    this.code = null;
  }

  get waiting() {
    return this.memory.read().waiting || [];
  }

  add(answer) {
    this.memory.write({ waiting: [...this.waiting, answer] });
    this.send();
  }

  // Resolves when everything is acknowledged.
  send() {
    this.sending ||= this.flush().finally(() => (this.sending = null));
    return this.sending;
  }

  async flush() {
    while (this.waiting.length) {
      const [first] = this.waiting;
      this.told(this.waiting.length, null);
      try {
        const key = this.memory.read().key;
        const reply = await patiently(
          () => ask("api/answer", key, first),
          (error) => this.told(this.waiting.length, error),
          // A server that does not know the rater may have been started with another database: nothing is given up.
          (error) => passes(error) || error.status === 401,
        );
        this.code = reply.code || this.code;
        this.forget((answer) => answer.key === first.key);
      } catch (error) {
        // Another window of the same rater was faster, or the server knows better: it says which question is next.
        if (!(error instanceof Refused)) throw error;
        this.forget((answer) => answer.key === first.key);
        if (error.data.position !== undefined) this.moved(error.data.position);
      }
    }
    this.told(0, null);
  }

  forget(unwanted) {
    this.memory.write({ waiting: this.waiting.filter((answer) => !unwanted(answer)) });
  }
}
