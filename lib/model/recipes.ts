/**
 * The recipes that facex ships: complete configurations for published settings, each with a small twin.
 * @module
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'

import { packageRoot } from '../setup/places.js'
import { loadRunFile } from '../config/extends.js'

export interface Recipe {
  /** File without folders and ending: `ResNet50-ir`. */
  readonly name: string
  /** What it belongs to: `backbones`, `heads`, `shallow`, `masked`, `modes`. */
  readonly group: string
  readonly file: string
  /** The same on a small data set; every recipe has one. */
  readonly small: string
  readonly summary: string
  /** Published results in percent, by set. */
  readonly published: Readonly<Record<string, number>>
}

/** Files that recipes extend, which are none themselves. */
const COMMON = 'common'

/** All recipes, group by group and sorted by name. */
export function readRecipes(): Recipe[] {
  const folder = path.join(packageRoot(), 'configs', 'recipes')
  const groups = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== COMMON)
  return groups.map(({ name }) => name).sort().flatMap((group) => {
    const names = readdirSync(path.join(folder, group)).filter((name) => name.endsWith('.yaml') && !name.endsWith('-small.yaml')).sort()
    return names.map((name) => readRecipe(path.join(folder, group, name), group))
  })
}

function readRecipe(file: string, group: string): Recipe {
  const about = (loadRunFile(file).get(['about']) ?? {}) as Partial<Pick<Recipe, 'summary' | 'published'>>
  const name = path.basename(file, '.yaml')
  return { name, group, file, small: path.join(path.dirname(file), `${name}-small.yaml`), summary: about.summary ?? '', published: about.published ?? {} }
}
