/** Patterns over parameter names, as `freeze` and `no_decay` use them: `*` stands for any run of characters. @module */

/** `backbone.conv1.*` matches `backbone.conv1.bn.weight`. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => regularExpression(pattern).test(name))
}

/** Patterns that match none of `names`: most likely misspelt. */
export function patternsWithoutMatch(patterns: readonly string[], names: readonly string[]): string[] {
  return patterns.filter((pattern) => !names.some((name) => regularExpression(pattern).test(name)))
}

function regularExpression(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
