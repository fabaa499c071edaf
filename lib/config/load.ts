/**
 * Reads a YAML (or JSON) file and remembers the line and column of every value.
 * @module
 */
import { readFileSync } from 'node:fs'

import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml'

import { FacexError, messageOf, throwProblems } from '../errors.js'
import { ConfigTree, formatPath, type ConfigPath } from './tree.js'

/**
 * Loads one file.
 * @throws FacexError ERR_CONFIG when it cannot be read, is not YAML, or is not a mapping.
 */
export function loadConfigFile(file: string): ConfigTree {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new FacexError('ERR_CONFIG', `${file}: cannot read the configuration: ${messageOf(error)}`, { cause: error })
  }
  return parseConfig(text, file)
}

/** Parses the content of `file`; the name is used in messages only. */
export function parseConfig(text: string, file: string): ConfigTree {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  throwProblems('ERR_CONFIG', `${file} is not valid YAML`, document.errors.map((error) => `${place(error.pos[0])} ${error.message}`))
  if (document.contents !== null && !isMap(document.contents)) {
    throw new FacexError('ERR_CONFIG', `${file}: expected a mapping (key: value lines) at the top level`)
  }
  const origins = new Map<string, string>()
  if (document.contents !== null) collect(document.contents as Node, [], (path, offset) => origins.set(formatPath(path), place(offset)))
  return new ConfigTree(document.toJS() ?? {}, file, origins)

  function collect(node: Node, path: ConfigPath, found: (path: ConfigPath, offset: number) => void): void {
    const target = isAlias(node) ? node.resolve(document) : node
    if (isMap(target)) collectMap(target, path, found)
    if (isSeq(target)) {
      target.items.forEach((item, index) => {
        found([...path, index], (item as Node).range?.[0] ?? 0)
        collect(item as Node, [...path, index], found)
      })
    }
  }

  function collectMap(map: YAMLMap, path: ConfigPath, found: (path: ConfigPath, offset: number) => void): void {
    for (const { key, value } of map.items) {
      if (!isScalar(key)) continue
      const below = [...path, String(key.value)]
      found(below, key.range?.[0] ?? 0)
      if (value !== null) collect(value as Node, below, found)
    }
  }
}
