/**
 * Keeps the house in order: who may import whom in TypeScript, who may include whom in C++, and how long a file may be.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import t from 'tap'
import ts from 'typescript'

import { packageRoot } from '../lib/setup/places.js'

const root = packageRoot()

/** Rooms of lib/ from the ground up. A file imports from its own room and from lower rungs. */
const LADDER: readonly (readonly string[])[] = [
  ['errors.ts'],
  ['setup', 'graph', 'config', 'pickle'],
  ['native-data.ts'],
  ['native.ts'],
  ['distributed'],
  ['layers', 'heads', 'data'],
  ['backbones'],
  ['model'],
  ['evaluation'],
  ['training'],
  ['report'],
  ['index.ts'],
  ['commands'],
  ['cli.ts'],
]

/** Folders of native/ and the folders that each may include besides itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  engine: ['core'],
  heads: ['core'],
  data: ['core'],
  search: ['core'],
  distributed: ['core'],
  training: ['core', 'engine', 'heads', 'data', 'distributed'],
  binding: ['core', 'engine', 'heads', 'data', 'search', 'distributed', 'training'],
  fuzz: ['core', 'data'],
  emulated: ['core', 'engine', 'heads'],
  'addon.cc': ['binding'],
}

function filesIn(folder: string, pattern: RegExp): string[] {
  const start = path.join(root, folder)
  if (!existsSync(start)) return []
  return readdirSync(start, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => path.join(folder, name))
    .sort()
}

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** First part of a path below `lib/` or `native/`. */
const roomOf = (file: string) => file.split(path.sep)[1]!

/** Files of this repository that a TypeScript file imports, type imports and import() included. */
function importsOf(file: string): string[] {
  return ts
    .preProcessFile(read(file), true, true)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => path.join(path.dirname(file), fileName).replace(/\.js$/, '.ts'))
}

const library = filesIn('lib', /\.ts$/)
const imports = new Map(library.map((file) => [file, importsOf(file)]))

t.test('a file of lib/ imports only from its own room and from lower rungs', async (t) => {
  const rung = (file: string) => LADDER.findIndex((rooms) => rooms.includes(roomOf(file)))
  for (const file of library) t.ok(rung(file) >= 0, `${file} stands in a room of the ladder`)
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const allowed = roomOf(target) === roomOf(file) || rung(target) < rung(file)
      if (!allowed) t.fail(`${file} imports ${target}, which stands higher or beside it`)
    }
  }
})

t.test('no imports go round in a circle', async (t) => {
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) return void t.fail([...trail.slice(trail.indexOf(file)), file].join(' -> '))
    if (done.has(file)) return
    done.add(file)
    for (const target of imports.get(file) ?? []) visit(target, [...trail, file])
  }
  for (const file of library) visit(file, [])
  t.equal(done.size, library.length)
})

t.test('helpers live with their concept: there is no utils folder or file', async (t) => {
  const drawer = /(^|[\\/])(utils?|helpers?|misc|common)(\.\w+|[\\/])/
  // Places of gloo's own headers, as libtorch includes them.
  const ours = filesIn('native', /\.(h|cc|cu)$/).filter((file) => !file.includes('gloo_declarations'))
  t.same([...library, ...ours].filter((file) => drawer.test(file)), [])
})

t.test('native folders include each other in one direction', async (t) => {
  for (const file of filesIn('native', /\.(h|cc|cu|cuh)$/)) {
    const room = roomOf(file)
    const allowed = ARROWS[room]
    if (allowed === undefined) t.fail(`${file} stands in no known folder`)
    for (const [, target] of read(file).matchAll(/^\s*#include "([\w-]+)\//gm)) {
      if (target! in ARROWS && target !== room && !allowed!.includes(target!)) t.fail(`${file} includes ${target}/`)
    }
  }
})

t.test('only the binding knows Node-API', async (t) => {
  for (const file of filesIn('native', /\.(h|cc|cu|cuh)$/)) {
    if (!['binding', 'addon.cc'].includes(roomOf(file)) && /#include [<"](napi|node_api)/.test(read(file))) t.fail(`${file} includes Node-API`)
  }
})

t.test('no file includes all of libtorch', async (t) => {
  for (const file of filesIn('native', /\.(h|cc|cu|cuh)$/)) {
    if (/#include <(torch\/(torch|all|extension)|ATen\/ATen)\.h>/.test(read(file))) t.fail(`${file} includes an umbrella header`)
  }
})

t.test('files stay short enough to read', async (t) => {
  const limits: Record<string, number> = { 'lib/cli.ts': 80, 'lib/index.ts': 120, 'native/addon.cc': 60 }
  const sources = [...library, ...filesIn('native', /\.(h|cc|cu|cuh)$/), ...filesIn('test', /\.ts$/), ...filesIn('scripts', /\.mjs$/), ...filesIn('bench', /\.(ts|py)$/)]
  for (const file of sources) {
    const lines = read(file).split('\n').length - 1
    const limit = limits[file] ?? 400
    if (lines > limit) t.fail(`${file} has ${lines} lines, the limit is ${limit}`)
  }
})

t.test('nothing is left for later in a comment', async (t) => {
  const later = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'for ' + 'now'].join('|')})\\b`)
  for (const file of [...library, ...filesIn('native', /\.(h|cc|cu|cuh)$/), ...filesIn('test', /\.ts$/)]) {
    const line = read(file).split('\n').findIndex((text) => later.test(text))
    if (line >= 0) t.fail(`${file}:${line + 1} ${read(file).split('\n')[line]!.trim()}`)
  }
})
