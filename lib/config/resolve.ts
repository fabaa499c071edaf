/**
 * From what a user gives (file, flags, `--set`, or an object) to one complete, checked configuration that means the
 * same wherever it is read again: entries of conf files merged in, defaults filled, paths absolute.
 * @module
 */
import path from 'node:path'

import { throwProblems, unknownName } from '../errors.js'
import { check, problemAt } from './check.js'
import { absoluteSet, isPairList, pairListSchema, setName } from './evaluation.js'
import { applyFlags } from './flags.js'
import { loadRunFile } from './extends.js'
import { loadConfigFile } from './load.js'
import { runSchema, type RunConfig, type RunConfigInput } from './run.js'
import { applySettings } from './set.js'
import { ConfigTree, type ConfigSource } from './tree.js'

/** Where a configuration comes from; later members win over earlier ones. */
export interface RunRequest {
  readonly file?: string
  readonly config?: RunConfigInput
  /** FaceX-Zoo's flags and the common ones, by name without dashes. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  /** `key=value` settings. */
  readonly set?: readonly string[]
}

export interface ResolvedRun {
  readonly config: RunConfig
  /** Names the line of any value, for problems found later. */
  readonly source: ConfigSource
}

/**
 * Reads, merges and checks.
 * @throws FacexError ERR_CONFIG that lists every problem with its place
 */
export function resolveRun(request: RunRequest): ResolvedRun {
  const tree = request.file === undefined ? new ConfigTree(request.config ?? {}, 'config') : loadRunFile(request.file)
  applyFlags(tree, request.flags ?? {})
  applySettings(tree, request.set ?? [])
  mergeConfFile(tree, 'backbone')
  mergeConfFile(tree, 'head')
  const config = check(runSchema, tree.get(), tree)
  checkRelations(config, tree)
  return { config: withAbsolutePaths(config, request.file), source: tree }
}

/** FaceX-Zoo keeps the options of networks and heads in files of their own: `Name: {option: value}`. */
function mergeConfFile(tree: ConfigTree, kind: 'backbone' | 'head'): void {
  const file = tree.get([kind, 'conf_file'])
  const type = tree.get([kind, 'type'])
  if (typeof file !== 'string' || typeof type !== 'string') return
  const conf = loadConfigFile(file)
  const entry = conf.get([type])
  if (typeof entry !== 'object' || entry === null) {
    const known = Object.keys(conf.get() as object)
    throwProblems('ERR_CONFIG', 'The configuration is wrong:', [problemAt(tree, `${kind}.type`, `${unknownName(kind, type, known)} (in ${file})`)])
  }
  for (const [key, value] of Object.entries(entry as object)) {
    // An entry may be a variant under a name of its own: its type then is the network or head that it configures.
    if (key === 'type' || tree.get([kind, key]) === undefined) tree.set([kind, key], value, conf.at(`${type}.${key}`))
  }
}

/** What a schema of single values cannot say. */
function checkRelations(config: RunConfig, source: ConfigSource): void {
  const problems: string[] = []
  const problem = (where: string, text: string) => problems.push(problemAt(source, where, text))
  const { optimizer, schedule, evaluation, epochs } = config
  if (schedule.name === 'step') {
    const falls = schedule.milestones.findIndex((milestone, index) => index > 0 && milestone <= schedule.milestones[index - 1]!)
    if (falls > 0) problem(`schedule.milestones[${falls}]`, `expected ascending epochs, received ${schedule.milestones.join(', ')}`)
  }
  if (optimizer.name === 'sgd' && optimizer.nesterov && optimizer.momentum === 0) problem('optimizer.nesterov', 'needs a momentum above 0')
  if (schedule.warmup_epochs > epochs) problem('schedule.warmup_epochs', `expected at most the ${epochs} epochs of the run, received ${schedule.warmup_epochs}`)
  evaluation.sets.forEach((set, index) => isPairList(set) && check(pairListSchema, set, source, `evaluation.sets[${index}]`))
  const names = evaluation.sets.map(setName)
  names.forEach((name, index) => {
    if (names.indexOf(name) < index) problem(`evaluation.sets[${index}]${evaluation.sets[index]!.name === undefined ? '' : '.name'}`, `"${name}" names two test sets`)
  })
  if (evaluation.best !== undefined && !names.includes(evaluation.best)) problem('evaluation.best', unknownName('test set', evaluation.best, names))
  if (config.early_stopping !== undefined && names.length === 0) problem('early_stopping', 'needs evaluation.sets to watch')
  throwProblems('ERR_CONFIG', 'The configuration is wrong:', problems)
}

/**
 * Paths are relative to the current folder, as on the command line; extensions are modules and therefore relative to
 * the file that names them. Names of packages stay names.
 */
function withAbsolutePaths(config: RunConfig, file: string | undefined): RunConfig {
  const here = file === undefined ? process.cwd() : path.dirname(path.resolve(file))
  const { conf_file: _backboneFile, ...backbone } = config.backbone
  const { conf_file: _headFile, ...head } = config.head
  const teacher = config.mode['teacher']
  return {
    ...config,
    backbone,
    head,
    extensions: config.extensions.map((name) => (name.startsWith('.') ? path.resolve(here, name) : name)),
    out_dir: path.resolve(config.out_dir),
    mode: { ...config.mode, ...(typeof teacher === 'string' ? { teacher: path.resolve(teacher) } : {}) },
    data: { ...config.data, train: config.data.train.map(absoluteSource) },
    evaluation: {
      ...config.evaluation,
      sets: config.evaluation.sets.map((set) => absoluteSet(set, (file) => path.resolve(file))),
    },
    log: { ...config.log, dir: absolute(config.log.dir), tensorboard_dir: absolute(config.log.tensorboard_dir) },
    init: config.init && { ...config.init, weights: path.resolve(config.init.weights) },
  }
}

type Source = RunConfig['data']['train'][number]

function absoluteSource(source: Source): Source {
  switch (source.kind) {
    case 'list':
      return { ...source, root: path.resolve(source.root), list: path.resolve(source.list) }
    case 'record':
      return { ...source, file: path.resolve(source.file) }
    default:
      return { ...source, root: path.resolve(source.root) }
  }
}

function absolute(name: string | undefined): string | undefined {
  return name === undefined ? undefined : path.resolve(name)
}
