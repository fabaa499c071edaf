/**
 * Commands that several processes do together: `facex launch --nproc 4 extract ...`, torchrun, srun.
 * @module
 */
import { runSchema } from '../config/run.js'
import { joinPeers, type Peers } from '../distributed/peers.js'
import { worldOf } from '../distributed/world.js'
import { fromNative } from '../errors.js'

/** Where no configuration says otherwise. */
export const DEFAULT_TIMEOUTS = runSchema.shape.distributed.parse(undefined)

/**
 * Runs a command as one of the processes that the environment speaks of, or alone. What fails on one rank ends all.
 * Rank 0 speaks and writes.
 */
export async function withPeers(body: (peers: Peers) => Promise<number>): Promise<number> {
  const peers = await joinPeers(worldOf(process.env), DEFAULT_TIMEOUTS)
  try {
    return await body(peers)
  } catch (thrown) {
    throw await peers.fail(fromNative(thrown))
  } finally {
    await peers.leave()
  }
}
