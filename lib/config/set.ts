/**
 * `--set optimizer.lr=0.05`: one value of the configuration from the command line, written as YAML.
 * @module
 */
import { parseDocument } from 'yaml'

import { FacexError } from '../errors.js'
import { parsePath, type ConfigTree } from './tree.js'

/** Applies `KEY=VALUE` settings in their order. */
export function applySettings(tree: ConfigTree, settings: readonly string[]): void {
  for (const setting of settings) {
    const split = setting.indexOf('=')
    const path = parsePath(setting.slice(0, Math.max(0, split)))
    if (split < 0 || path.length === 0) {
      throw new FacexError('ERR_USAGE', `--set ${setting}: expected KEY=VALUE, such as --set optimizer.lr=0.05`)
    }
    tree.set(path, parseValue(setting.slice(split + 1), `--set ${setting}`), `--set ${setting}`)
  }
}

/** A YAML value: `0.1` is a number, `[10, 13]` a list, `{a: 1}` a mapping, nothing is null. */
function parseValue(text: string, origin: string): unknown {
  const document = parseDocument(text, { prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) throw new FacexError('ERR_USAGE', `${origin}: the value is not valid YAML: ${error.message}`)
  return document.toJS()
}
