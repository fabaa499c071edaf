/**
 * Configuration files that build on others, and on the environment: `extends: base.yaml` and `${FACEX_DATA:-data}/faces`.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { throwProblems } from '../errors.js'
import { problemAt } from './check.js'
import { loadConfigFile } from './load.js'
import { formatPath, type ConfigPath, type ConfigTree } from './tree.js'

/**
 * Loads a file with everything that it extends. Later files win over earlier ones, and the file itself over all that it
 * names; every value keeps the place where it was written.
 * @throws FacexError ERR_CONFIG when a file cannot be read, a file extends itself, or an environment variable is not set
 */
export function loadRunFile(file: string): ConfigTree {
  const tree = loadWithBases(file, [])
  expandEnvironment(tree)
  return tree
}

/** `open` are the files that are being loaded, outermost first. */
function loadWithBases(file: string, open: readonly string[]): ConfigTree {
  const own = loadConfigFile(file)
  const chain = [...open, path.resolve(file)]
  const bases = basesOf(own).map(({ name, origin }) => {
    const base = path.isAbsolute(name) ? name : path.join(path.dirname(file), name)
    if (!existsSync(base)) throwProblems('ERR_CONFIG', 'The configuration is wrong:', [problemAt(own, origin, `there is no file ${base}; the name is relative to this file`)])
    if (chain.includes(path.resolve(base))) {
      const circle = [...chain.slice(chain.indexOf(path.resolve(base))), path.resolve(base)].map((link) => path.basename(link))
      throwProblems('ERR_CONFIG', 'The configuration is wrong:', [problemAt(own, origin, `a file may not extend itself: ${circle.join(' extends ')}`)])
    }
    return loadWithBases(base, chain)
  })
  own.remove(['extends'])
  rebaseExtensions(own, path.dirname(path.resolve(file)))
  const [first, ...rest] = [...bases, own]
  for (const upper of rest) first!.overlay(upper)
  return first!
}

function basesOf(tree: ConfigTree): { name: string; origin: string }[] {
  const value = tree.get(['extends'])
  if (value === undefined) return []
  const names = Array.isArray(value) ? (value as unknown[]) : [value]
  return names.map((name, index) => {
    const origin = Array.isArray(value) ? `extends[${index}]` : 'extends'
    if (typeof name !== 'string' || name === '') throwProblems('ERR_CONFIG', 'The configuration is wrong:', [problemAt(tree, origin, 'expected a file name or a list of file names, relative to this file')])
    return { name: name as string, origin }
  })
}

/** Modules are relative to the file that names them, which is lost once files are merged. */
function rebaseExtensions(tree: ConfigTree, folder: string): void {
  const modules = tree.get(['extensions'])
  if (!Array.isArray(modules)) return
  modules.forEach((name: unknown, index) => {
    if (typeof name === 'string' && name.startsWith('.')) tree.set(['extensions', index], path.resolve(folder, name), tree.at(`extensions[${index}]`))
  })
}

/** `${NAME}` or `${NAME:-what stands there when NAME is not set}`. */
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

function expandEnvironment(tree: ConfigTree): void {
  const problems: string[] = []
  visit(tree.get(), [])
  throwProblems('ERR_CONFIG', 'The configuration is wrong:', problems)

  function visit(value: unknown, at: ConfigPath): void {
    if (typeof value === 'string') expand(value, at)
    else if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...at, index]))
    else if (typeof value === 'object' && value !== null) for (const [key, below] of Object.entries(value)) visit(below, [...at, key])
  }

  function expand(text: string, at: ConfigPath): void {
    const where = formatPath(at)
    const expanded = text.replaceAll(VARIABLE, (_, name: string, otherwise: string | undefined) => {
      const found = process.env[name] || otherwise
      if (found === undefined) problems.push(problemAt(tree, where, `the environment variable ${name} is not set; set it, or write \${${name}:-value}`))
      return found ?? ''
    })
    if (expanded !== text) tree.set(at, isOneVariable(text) ? typed(expanded) : expanded, tree.at(where))
  }
}

const isOneVariable = (text: string): boolean => new RegExp(`^(?:${VARIABLE.source})$`).test(text)

/** The environment knows text only; a value that is a variable and nothing else is a number or a truth where it reads as one. */
function typed(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}
