import t from 'tap'

import { shareOf } from '../../lib/distributed/sharded-rows.js'
import { firstHost } from '../../lib/distributed/host-list.js'
import { visibleGpus, worldOf } from '../../lib/distributed/world.js'

t.test("torchrun's variables say which process this is", async (t) => {
  const environment = { RANK: '3', WORLD_SIZE: '8', LOCAL_RANK: '1', LOCAL_WORLD_SIZE: '2', MASTER_ADDR: 'node1', MASTER_PORT: '29400' }
  t.strictSame(worldOf(environment), { rank: 3, size: 8, localRank: 1, localSize: 2, master: 'node1', port: 29400, serves: true, attempt: '0' })
  t.equal(worldOf({ ...environment, TORCHELASTIC_USE_AGENT_STORE: 'True' })!.serves, false)
})

t.test("SLURM's variables do too, but only under srun", async (t) => {
  const environment = { SLURM_PROCID: '5', SLURM_NTASKS: '8', SLURM_LOCALID: '1', SLURM_JOB_NODELIST: 'gpu[003-006],login1', SLURM_JOB_ID: '123456', SLURM_TASKS_PER_NODE: '2(x4)' }
  t.equal(worldOf(environment), undefined, 'a batch script is no task')
  const world = worldOf({ ...environment, SLURM_STEP_ID: '0' })!
  t.match(world, { rank: 5, size: 8, localRank: 1, localSize: 2, master: 'gpu003' })
  t.ok(world.port >= 20000 && world.port < 40000)
})

t.test('each process sees the GPU of its place on the machine, unless the launcher has chosen', async (t) => {
  const seen = (localRank: number, visible?: string) => visibleGpus({ localRank }, { CUDA_VISIBLE_DEVICES: visible })
  t.equal(seen(2), '2')
  t.equal(seen(1, '4,6,7'), '6')
  t.equal(seen(1, '5'), undefined)
  t.equal(seen(1, ''), undefined, 'GPUs that are hidden stay hidden')
})

t.test('a process alone is not part of a group', async (t) => {
  t.equal(worldOf({}), undefined)
  t.equal(worldOf({ RANK: '0', WORLD_SIZE: '1' }), undefined)
})

t.test('incomplete or senseless variables are named', async (t) => {
  const complete = { RANK: '0', WORLD_SIZE: '2', MASTER_ADDR: 'localhost' }
  t.throws(() => worldOf({ ...complete, MASTER_ADDR: undefined }), /MASTER_ADDR: expected the machine of rank 0/)
  t.throws(() => worldOf({ ...complete, RANK: '2' }), /RANK: expected 0 to 1/)
  t.throws(() => worldOf({ ...complete, WORLD_SIZE: 'two' }), /WORLD_SIZE: expected a whole number/)
  t.throws(() => worldOf({ ...complete, MASTER_PORT: '70000' }), /MASTER_PORT: expected 1 to 65535/)
})

t.test('the first host of a SLURM list', async (t) => {
  t.equal(firstHost('login1'), 'login1')
  t.equal(firstHost('a1,b2'), 'a1')
  t.equal(firstHost('gpu[07,09-12].cluster,x'), 'gpu07.cluster')
  t.equal(firstHost('r[1-2]n[03-04]'), 'r1n03')
})

t.test('shares of a list are neighbours, nearly equal and complete', async (t) => {
  const shares = [0, 1, 2].map((rank) => shareOf(8, { rank, size: 3 }))
  t.strictSame(shares, [{ begin: 0, end: 3 }, { begin: 3, end: 6 }, { begin: 6, end: 8 }])
})
