/**
 * The processes of one run, as TypeScript sees them: short texts and decisions shared between ranks. A process that
 * trains alone has the same object with one rank, so that nobody has to ask.
 *
 * All ranks call the same methods in the same order.
 * @module
 */
import { FacexError, fromNative, messageOf } from '../errors.js'
import { addon, type NativeGroup } from '../native.js'
import { visibleGpus, type World } from './world.js'

export interface PeerTimeouts {
  /** For all ranks to arrive. */
  readonly join_seconds: number
  /** For one exchange between ranks, the slowest rank's work before it included. */
  readonly timeout_seconds: number
  /** A rank that has not been heard of for so long is dead. */
  readonly silence_seconds: number
}

export class Peers {
  readonly rank: number
  readonly size: number
  /** Processes on this machine. */
  readonly localSize: number
  /** Undefined for a process alone. */
  readonly group: NativeGroup | undefined

  constructor(world?: Pick<World, 'rank' | 'size' | 'localSize'>, group?: NativeGroup) {
    this.rank = world?.rank ?? 0
    this.size = world?.size ?? 1
    this.localSize = world?.localSize ?? 1
    this.group = group
  }

  /** Whether this rank writes the run folder and speaks for all. */
  get leads(): boolean {
    return this.rank === 0
  }

  /** The text of every rank, in order. */
  async exchange(text: string): Promise<string[]> {
    return this.group === undefined ? [text] : this.group.exchange(text)
  }

  /** For each flag whether any rank has set it. */
  async agree(flags: readonly boolean[]): Promise<boolean[]> {
    if (this.group === undefined) return [...flags]
    const all = (await this.exchange(JSON.stringify(flags))).map((text) => JSON.parse(text) as boolean[])
    return flags.map((_, i) => all.some((row) => row[i]))
  }

  /** What rank 0 has made; the others' `make` is not called. */
  async fromLead<T>(make: () => T | Promise<T>): Promise<T> {
    if (this.group === undefined) return make()
    const texts = await this.exchange(this.leads ? JSON.stringify({ value: await make() }) : '')
    return (JSON.parse(texts[0]!) as { value: T }).value
  }

  /**
   * Tells the others why this rank ends; they end too, with that message.
   * @returns what this rank is to throw: the error, or one line instead of what another rank has said already
   */
  async fail(error: unknown): Promise<unknown> {
    if (this.group === undefined || (error as { code?: unknown }).code === 'ERR_DISTRIBUTED') return error
    const own = messageOf(error).split('\n').slice(0, 5).join('\n')
    const verdict = await this.group.reportFailure(own)
    const first = /^rank \d+/.exec(verdict)?.[0]
    if (this.leads || first === `rank ${this.rank}` || verdict !== `${first} has failed: ${own}` || !(error instanceof FacexError)) return error
    return new FacexError(error.code, `rank ${this.rank} ends: ${first} has found the same`, { cause: error })
  }

  async leave(): Promise<void> {
    await this.group?.leave()
  }
}

/**
 * Meets the other ranks; a process alone meets nobody.
 * @throws FacexError ERR_DISTRIBUTED naming the ranks that are missing or do not fit, or the port that is taken
 */
export async function joinPeers(world: World | undefined, timeouts: PeerTimeouts): Promise<Peers> {
  if (world === undefined) return new Peers()
  const { rank, size, master, port, serves, attempt } = world
  const visible = visibleGpus(world, process.env)
  if (visible !== undefined) process.env['CUDA_VISIBLE_DEVICES'] = visible // CUDA reads it when it is first asked for
  const group = new (addon().Group)({
    rank,
    size,
    master,
    port,
    serves,
    attempt,
    joinSeconds: timeouts.join_seconds,
    operationSeconds: timeouts.timeout_seconds,
    silenceSeconds: timeouts.silence_seconds,
  })
  await group.join().catch((error: unknown) => {
    throw fromNative(error)
  })
  return new Peers(world, group)
}
