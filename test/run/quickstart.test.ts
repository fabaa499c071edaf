/** configs/quickstart.yaml made small: what the README's second command does, and the commands it then suggests. */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import t from 'tap'

import { packageRoot } from '../../lib/setup/places.js'
import { facex } from '../facex.js'

t.setTimeout(600_000)

t.test('the quickstart draws faces, trains, evaluates, says that they are synthetic, and its next commands work', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-quickstart-'))
  const faces = path.join(folder, 'faces')
  const small = {
    'data.train[0].root': faces,
    'data.train[0].identities': 6,
    'data.train[0].images': 6,
    'data.train[0].held_out': 6,
    'evaluation.sets[0].root': faces,
    'evaluation.sets[0].pairs': path.join(faces, 'pairs.txt'),
    epochs: 1,
    batch_size: 12,
  }
  const set = Object.entries(small).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const config = path.join(packageRoot(), 'configs', 'quickstart.yaml')
  const run = facex(['train', config, '--out_dir', path.join(folder, 'run'), ...set], { cwd: folder })
  t.match(run, { status: 0, stdout: '' })
  const { stderr } = run
  t.match(stderr, /drawing 72 synthetic faces in/)
  t.match(stderr, /\nTrained MobileFaceNet with ArcFace on 36 images of 6 identities: 3 of 3 steps in/)
  t.match(stderr, /\nheld_out: accuracy \d+\.\d+%/)
  t.match(stderr, /\nNote: the faces are synthetic/)

  const next = stderr.slice(stderr.indexOf('\nNext:')).matchAll(/^ {2}npx facex (.+)$/gm)
  const commands = [...next].map(([, command]) => command!.split(' '))
  t.strictSame(commands.map(([name]) => name), ['evaluate', 'compare', 'extract', 'report'])
  for (const command of commands) t.match(facex(command, { cwd: folder }), { status: 0 }, command.join(' '))
  t.ok(existsSync(path.join(folder, 'run', 'embeddings.npy')))
})
