/**
 * `facex recipes`: lists the shipped recipes.
 * @module
 */
import path from 'node:path'

import { readRecipes, type Recipe } from '../model/recipes.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex recipes [--json]

Lists the configurations that facex ships for published settings, and the results that were published for them in
percent. \`facex train FILE\` trains one; each has a twin ending in -small.yaml for a small data set. FACEX_DATA names
the folder of all data sets.
`

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { json: { type: 'boolean' } })
  const recipes = readRecipes()
  process.stdout.write(values.json ? `${JSON.stringify(recipes, null, 2)}\n` : text(recipes))
  return 0
}

function text(recipes: readonly Recipe[]): string {
  const groups = [...new Set(recipes.map(({ group }) => group))]
  return groups.map((group) => `${group}\n${recipes.filter((recipe) => recipe.group === group).map(lines).join('')}`).join('\n')
}

function lines({ file, summary, published }: Recipe): string {
  const results = Object.entries(published).map(([set, percent]) => `${set} ${percent.toFixed(2)}`)
  return [`  ${path.relative('', file)}`, `    ${summary}`, ...(results.length === 0 ? [] : [`    published: ${results.join(', ')}`]), ''].join('\n')
}
