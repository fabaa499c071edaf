/**
 * Heads written by the user: logits as expressions over cosines, compiled to a program that the addon runs inside its
 * fused kernel, with exact derivatives. No compiler is involved.
 *
 *     const mine = expressionHead({
 *       name: 'Mine',
 *       summary: 'ArcFace with a milder slope for other classes',
 *       options: { margin: z.number().default(0.4), scale: z.number().default(48) },
 *       logits: ({ margin, scale }) => ({
 *         own: addAngle(ownCosine, margin).times(scale),
 *         other: otherCosine.times(scale).times(0.98),
 *       }),
 *     })
 * @module
 */
import { FacexError, received } from '../errors.js'
import { defineHead } from './head.js'
import type { z } from 'zod'
import type { HeadConfig, HeadDefinition } from './head.js'

export type Operand = Expression | number

/** A formula; immutable, every method gives a new one. */
export class Expression {
  /** @param code the formula in postfix words, see native/heads/expression.h */
  constructor(readonly code: string) {}

  plus(other: Operand): Expression {
    return join(this, other, '+')
  }
  minus(other: Operand): Expression {
    return join(this, other, '-')
  }
  times(other: Operand): Expression {
    return join(this, other, '*')
  }
  over(other: Operand): Expression {
    return join(this, other, '/')
  }
  /** The smaller of both. */
  atMost(other: Operand): Expression {
    return join(this, other, 'min')
  }
  /** The larger of both. */
  atLeast(other: Operand): Expression {
    return join(this, other, 'max')
  }
  /** `then` where this exceeds `bound`, else `otherwise`. The comparison itself has no gradient. */
  above(bound: Operand, then: Operand, otherwise: Operand): Expression {
    return join(this, bound, then, otherwise, 'above')
  }
}

/** Cosine to another class; only in `other`. */
export const otherCosine = new Expression('cos_j')
/** Cosine to the own class. */
export const ownCosine = new Expression('cos_y')
/** Length of the embedding. */
export const norm = new Expression('norm')

export const negative = (x: Operand) => join(x, 'neg')
export const exp = (x: Operand) => join(x, 'exp')
/** Arguments below the machine epsilon are held there, without gradient; so are those of {@link sqrt}. */
export const log = (x: Operand) => join(x, 'log')
export const sqrt = (x: Operand) => join(x, 'sqrt')
export const cos = (x: Operand) => join(x, 'cos')
export const sin = (x: Operand) => join(x, 'sin')
/** Angle of a cosine, which is held just inside ±1, without gradient beyond. */
export const acos = (x: Operand) => join(x, 'acos')
/** sin(theta) from cos(theta), finite with its slope at ±1. */
export const sine = (x: Operand) => join(x, 'sine')
/** The same value without a gradient. */
export const constant = (x: Operand) => join(x, 'const')
/** cos(theta + m) from cos(theta). */
export const addAngle = (cosine: Expression, m: Operand) => cosine.times(cos(m)).minus(sine(cosine).times(sin(m)))

/** The logits of a head, and what it adds to the loss. */
export interface ExpressionLogits {
  /** Logit of the own class, over {@link ownCosine} and {@link norm}. */
  readonly own: Expression
  /** Logits of other classes, over {@link otherCosine}, {@link ownCosine} and {@link norm}. */
  readonly other: Expression
  /** Over {@link norm}; its mean over the batch is added to the loss. */
  readonly regulariser?: Expression
}

/**
 * A head from expressions, with a configuration schema like any other. Class centres are unit columns `weight` [D, K].
 * @throws FacexError ERR_CONFIG from `create` when an expression uses an operand that its place does not have.
 */
export function expressionHead<Options extends z.ZodRawShape>(head: {
  name: string
  summary: string
  paper?: string
  options: Options
  logits: (options: z.infer<z.ZodObject<Options>>) => ExpressionLogits
}): HeadDefinition {
  const { logits, ...about } = head
  const base = defineHead(about)
  const create = (config: HeadConfig) => {
    const { own, other, regulariser } = logits(config as never)
    const choices: Record<string, string> = { own: own.code, other: other.code }
    if (regulariser !== undefined) choices['regulariser'] = regulariser.code
    refuse(head.name, 'own', own, ['cos_j'])
    if (regulariser !== undefined) refuse(head.name, 'regulariser', regulariser, ['cos_j', 'cos_y'])
    return { ...base.create(config), name: 'Expression', values: {}, choices }
  }
  return { ...base, create }
}

const OPERAND_NAMES: Readonly<Record<string, string>> = { cos_j: 'otherCosine', cos_y: 'ownCosine' }

function refuse(head: string, place: string, expression: Expression, operands: readonly string[]): void {
  const used = operands.filter((operand) => expression.code.split(' ').includes(operand))
  if (used.length === 0) return
  const names = used.map((operand) => OPERAND_NAMES[operand]).join(' and ')
  throw new FacexError('ERR_CONFIG', `head ${head}, ${place}: ${names} has no meaning here; it belongs to the logits of ${used.includes('cos_j') ? 'other classes' : 'a row'}`)
}

function join(...parts: (Operand | string)[]): Expression {
  return new Expression(parts.map(word).join(' '))
}

function word(part: Operand | string): string {
  if (part instanceof Expression) return part.code
  if (typeof part === 'string') return part
  if (Number.isFinite(part)) return String(part)
  throw new FacexError('ERR_CONFIG', `expression of a head: expected a finite number or an expression, received ${received(part)}`)
}
