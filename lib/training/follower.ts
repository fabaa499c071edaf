/**
 * What the ranks that do not lead say: warnings, and of those of the preparation only what rank 0 has not found too.
 * @module
 */
import type { Peers } from '../distributed/peers.js'
import type { Message, RunListener } from './events.js'

export class PreparationWarnings {
  readonly #peers: Peers
  readonly #out: RunListener | undefined
  /** Undefined once the preparation is over. */
  #kept: string[] | undefined = []

  /** @param out where a rank that does not lead speaks */
  constructor(peers: Peers, out: RunListener | undefined) {
    this.#peers = peers
    this.#out = out
  }

  /** Hears what this rank would say. */
  hear({ level, text }: Message): void {
    if (level !== 'warning') return
    if (this.#kept === undefined) this.#say(text)
    else this.#kept.push(text)
  }

  /** Every rank comes here once, prepared. */
  async settle(): Promise<void> {
    const own = this.#kept ?? []
    const common = new Set(await this.#peers.fromLead(() => own))
    this.#kept = undefined
    own.filter((text) => !common.has(text)).forEach((text) => this.#say(text))
  }

  /** The preparation has failed: nothing stays unsaid. */
  abandon(): void {
    this.#kept?.forEach((text) => this.#say(text))
    this.#kept = undefined
  }

  #say(text: string): void {
    if (!this.#peers.leads) this.#out?.onMessage?.({ level: 'warning', text: `rank ${this.#peers.rank}: ${text}` })
  }
}
