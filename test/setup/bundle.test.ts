/** The archive for machines without network: it runs where there is nothing else. The libtorch here is a stand-in. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import t, { type Test } from 'tap'

import { packageVersion } from '../../lib/setup/places.js'
import { prebuiltName } from '../../lib/setup/prebuilt.js'
import { facex } from '../facex.js'

const name = prebuiltName('cpu')

/** A libtorch and a prebuilt package as far as packing looks at them. */
function parts(t: Test, version = '2.13.0'): { folder: string; env: Record<string, string>; prebuilt: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'facex-bundle-test-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const files = {
    'libtorch/lib/libtorch_cpu.so': 'machine code',
    'libtorch/lib/libtorch_python.so': 'of no use here',
    'libtorch/include/torch/headeronly/version.h': '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n',
    'libtorch/version.py': `__version__ = '2.13.0+cpu'\n`,
    'prebuilt/facex.node': 'machine code',
    'prebuilt/package.json': JSON.stringify({ name, version: packageVersion(), main: 'facex.node', facex: { libtorch: version, variant: 'cpu' } }),
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), text)
  }
  return { folder, env: { LIBTORCH: path.join(folder, 'libtorch') }, prebuilt: path.join(folder, 'prebuilt') }
}

t.test('a bundle holds Node, facex and its packages, and runs without anything on PATH', { skip: process.platform !== 'linux' && 'bundles are for Linux' }, async (t) => {
  const { folder, env, prebuilt } = parts(t)
  const out = path.join(folder, 'facex.tar')
  t.match(facex(['bundle', '--out', out, '--prebuilt', prebuilt], { env }), { status: 0, stderr: /facex\.tar: facex .* with libtorch 2\.13\.0\+cpu/ })
  t.equal(spawnSync('tar', ['-xf', out, '-C', folder]).status, 0)
  const inside = path.join(folder, `facex-${packageVersion()}-${process.platform}-${process.arch}-cpu`)
  const { stdout: list } = spawnSync('tar', ['-tf', out], { encoding: 'utf8' })
  t.match(list, `node_modules/${name}/facex.node`)
  t.notMatch(list, /libtorch_python|\/dist\/test\/|node_modules\/typescript\//)
  const run = (...argv: string[]) => spawnSync(path.join(inside, 'facex'), argv, { encoding: 'utf8', env: { PATH: '', HOME: folder } })
  t.match(run('cost', '--backbone', 'MobileFaceNet'), { status: 0, stdout: /MobileFaceNet/ })
  t.match(run('doctor').stdout, new RegExp(`${name}: .*(too short|invalid ELF)`), 'the addon and libtorch inside are the ones that it opens')
})

t.test('a bundle needs the libtorch of its addon, and says how to get what is missing', async (t) => {
  const { folder, env, prebuilt } = parts(t, '2.12.0')
  const out = path.join(folder, 'facex.tar')
  t.match(facex(['bundle', '--out', out, '--prebuilt', prebuilt], { env }), { status: 1, stderr: /needs libtorch 2\.12\.0 \(cpu\): run `npx facex setup --cpu`/ })
  t.match(facex(['bundle', '--out', out, '--prebuilt', folder], { env }), { status: 1, stderr: /package\.json: there is no such file.*npm run prebuilt/ })
  t.match(facex(['bundle', '--out', 'facex.zip'], { env }), { status: 2, stderr: /--out: expected a file that ends in \.tar/ })
})
