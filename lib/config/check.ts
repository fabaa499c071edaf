/**
 * Checks values against a schema and words every problem alike:
 * `run.yaml:12:5 optimizer.lr: expected a number above 0, received "0.1x" (string)`.
 * @module
 */
import { z } from 'zod'

import { nearest, received, throwProblems, unknownName } from '../errors.js'
import { formatPath, parsePath, type ConfigPath, type ConfigSource } from './tree.js'

/** A mapping whose unknown keys are errors. Every schema of facex is made of these. */
export const object = z.strictObject

/**
 * The checked value with defaults filled in.
 * @param path where `value` lies in the configuration; the root when empty
 * @throws FacexError ERR_CONFIG that lists all problems with their places
 */
export function check<S extends z.ZodType>(schema: S, value: unknown, source: ConfigSource, path = ''): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) => describe(issue, schema, parsePath(path), source))
  throwProblems('ERR_CONFIG', 'The configuration is wrong:', problems)
  throw new Error('a failed check without an issue')
}

/** One line for a problem that the caller found: place, path, text. */
export function problemAt(source: ConfigSource, path: string, text: string): string {
  return `${source.at(path)} ${path}: ${text}`
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, base: ConfigPath, source: ConfigSource): string[] {
  const relative = issue.path as ConfigPath
  const line = (path: ConfigPath, text: string) => problemAt(source, formatPath(path), text)
  const here = [...base, ...relative]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => line([...here, key], unknownKey(key, keysAt(schema, relative, issue.input))))
    case 'invalid_union':
      if (issue.discriminator !== undefined) return [line(here, unknownChoice(issue, keyValues(schema, relative)))]
      return describeUnion(issue, schema, base, source) ?? [line(here, `expected ${expectedAt(schema, relative)}, ${got(issue)}`)]
    case 'custom':
      return [line(here, issue.message)]
    default:
      return [line(here, issue.input === undefined ? `missing: expected ${expected(issue)}` : `expected ${expected(issue)}, ${got(issue)}`)]
  }
}

function got(issue: z.core.$ZodIssue): string {
  const input = issue.input
  return `received ${typeof input === 'object' && input !== null && !Array.isArray(input) ? 'a mapping' : received(input)}`
}

function unknownKey(key: string, known: readonly string[]): string {
  if (known.length === 0) return 'unknown key; there is nothing more to set here'
  const near = nearest(key, known)
  return `unknown key${near === undefined ? '.' : `, did you mean "${near}"?`} Known here: ${known.join(', ')}`
}

/** The mapping is chosen by one of its values (`kind: list`), and that value is wrong or missing. */
function unknownChoice(issue: z.core.$ZodIssueInvalidUnion, known: readonly string[]): string {
  const value = (issue.input as Record<string, unknown>)[issue.discriminator!]
  if (typeof value === 'string') return unknownName(issue.discriminator!, value, known)
  return value === undefined ? `missing: expected ${known.join(' or ')}` : `expected ${known.join(' or ')}, received ${received(value)}`
}

/** Fixed values that the field at `path` may have. */
function keyValues(schema: z.ZodType, path: ConfigPath): string[] {
  return schemaAt(schema, path).flatMap((option) => (option instanceof z.ZodLiteral ? [...option.values].map(String) : []))
}

const TYPE_WORDS: Record<string, string> = {
  int: 'an integer',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

/** What would have been right, in words. */
function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_WORDS[issue.expected] ?? issue.expected
    case 'invalid_value':
      return issue.values.map((value) => (typeof value === 'string' ? `"${value}"` : String(value))).join(' or ')
    case 'too_small':
      return limit(issue.origin, issue.inclusive ? 'at least' : 'above', issue.minimum)
    case 'too_big':
      return limit(issue.origin, issue.inclusive ? 'at most' : 'below', issue.maximum)
    default:
      return issue.message
  }
}

function limit(origin: string, relation: string, bound: number | bigint): string {
  if (origin === 'string') return bound === 1 ? 'text that is not empty' : `text of ${relation} ${bound} characters`
  if (origin === 'array') return `a list of ${relation} ${bound} ${bound === 1 ? 'entry' : 'entries'}`
  return `${origin === 'int' ? 'an integer' : 'a number'} ${relation} ${bound}`
}

/** The problems inside the alternative that the value was meant for; undefined when it fits none. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, schema: z.ZodType, base: ConfigPath, source: ConfigSource): string[] | undefined {
  const meant = issue.errors.find((issues) => issues.length > 0 && issues.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))
  if (meant === undefined) return undefined
  return meant.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, schema, base, source))
}

/** Known keys of the mapping at `path`; `value` decides between the alternatives of a discriminated union. */
function keysAt(schema: z.ZodType, path: ConfigPath, value: unknown): string[] {
  const mappings = schemaAt(schema, path).filter((option) => option instanceof z.ZodObject)
  const fits = (option: z.ZodObject) => fixedFields(option).every(([key]) => fieldsOf(option)[key]!.safeParse((value as Record<string, unknown>)[key]).success)
  return [...new Set(mappings.filter(fits).flatMap((option) => Object.keys(option.shape)))]
}

function expectedAt(schema: z.ZodType, path: ConfigPath): string {
  const words = schemaAt(schema, path).flatMap((option) => {
    if (option instanceof z.ZodObject) return discriminators(option)
    if (option instanceof z.ZodEnum) return option.options.map((value) => `"${value}"`)
    return [TYPE_WORDS[option.def.type] ?? option.def.type]
  })
  return [...new Set(words)].join(' or ')
}

/** `kind: list` for the member of a union that is chosen by a fixed value, else plainly a mapping. */
function discriminators(option: z.ZodObject): string[] {
  const fixed = fixedFields(option)
  return fixed.length === 0 ? ['a mapping'] : fixed.map(([key, literal]) => `a mapping with ${key}: ${[...literal.values].join(' or ')}`)
}

/** Fields with a fixed value, such as `kind: list`. */
function fixedFields(option: z.ZodObject): [string, z.ZodLiteral][] {
  return Object.entries(fieldsOf(option)).flatMap(([key, field]) => {
    const [literal] = alternatives([field])
    return literal instanceof z.ZodLiteral ? [[key, literal] as [string, z.ZodLiteral]] : []
  })
}

function fieldsOf(option: z.ZodObject): Record<string, z.ZodType> {
  return option.shape as Record<string, z.ZodType>
}

/** Follows keys through a schema; every value below a union or an optional is found. */
function schemaAt(schema: z.ZodType, path: ConfigPath): z.ZodType[] {
  let found = alternatives([schema])
  for (const key of path) found = alternatives(found.flatMap((option) => child(option, key)))
  return found
}

function child(schema: z.ZodType, key: string | number): z.ZodType[] {
  if (schema instanceof z.ZodObject) {
    const field = fieldsOf(schema)[key]
    return field === undefined ? [] : [field]
  }
  return schema instanceof z.ZodArray ? [schema.element as z.ZodType] : []
}

/** Looks through optional, default, transform and union to the schemas that describe the written value. */
function alternatives(schemas: readonly z.ZodType[]): z.ZodType[] {
  return schemas.flatMap((schema) => {
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable) {
      return alternatives([schema.unwrap() as z.ZodType])
    }
    if (schema instanceof z.ZodPipe) return alternatives([schema.in as z.ZodType])
    if (schema instanceof z.ZodUnion) return alternatives(schema.options as z.ZodType[])
    return [schema]
  })
}
