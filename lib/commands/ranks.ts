/**
 * Commands that several processes do together: `facex launch --nproc 4 extract ...`, torchrun, srun.
 * @module
 */
import { joinPeers, type Peers } from '../distributed/peers.js'
import { worldOf } from '../distributed/world.js'
import { runSchema } from '../config/run.js'

/**
 * Runs a command as one of the processes that the environment speaks of, or alone. What fails on one rank ends all.
 * Rank 0 speaks and writes.
 */
export async function withPeers(body: (peers: Peers) => Promise<number>): Promise<number> {
  const peers = await joinPeers(worldOf(process.env), runSchema.shape.distributed.parse(undefined))
  try {
    return await body(peers)
  } catch (error) {
    await peers.fail(error)
    throw error
  } finally {
    await peers.leave()
  }
}
