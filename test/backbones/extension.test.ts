import path from 'node:path'

import t from 'tap'

import { buildBackbone, defineBackbone } from '../../lib/backbones/index.js'
import type { Backbone } from '../../lib/backbones/index.js'
import { Conv2d, F, Flatten, Linear, Module, Sequential } from '../../lib/layers/index.js'
import type { Value } from '../../lib/layers/index.js'
import { loadExtensions } from '../../lib/model/extensions.js'

t.test('a module that does not load, or exports no backbone, is named', async (t) => {
  const folder = t.testdir({ 'empty.mjs': 'export const answer = 42', 'broken.mjs': 'export default (' })
  const load = (file: string) => loadExtensions([path.join(folder, file)])
  await t.rejects(load('missing.mjs'), { code: 'ERR_CONFIG', message: /extension .*missing\.mjs does not load: Cannot find module/ })
  await t.rejects(load('broken.mjs'), { code: 'ERR_CONFIG', message: /broken\.mjs does not load/ })
  await t.rejects(load('empty.mjs'), { code: 'ERR_CONFIG', message: /empty\.mjs: expected an export made with defineBackbone, .*found answer/ })
})

/** A stem of 16 channels and whatever comes behind it. */
class Net extends Module {
  readonly stem = new Conv2d(3, 16, 4, { stride: 4 })
  readonly body: Module

  constructor(body: Module) {
    super()
    this.body = body
  }

  override forward(x: Value): Value {
    return this.body.call(this.stem.call(x))
  }
}

/** A layer whose forward is `does`. */
class Does extends Module {
  readonly #does: (x: Value) => unknown

  constructor(does: (x: Value) => unknown) {
    super()
    this.#does = does
  }

  override forward(x: Value): Value {
    return this.#does(x) as Value
  }
}

t.test('a mistake in a network names the layer and what does not fit', (t) => {
  const failure = (create: () => unknown, message: RegExp) => {
    const mine = defineBackbone({ name: 'Mine', summary: '', options: {}, create: create as Backbone['create'] })
    t.throws(() => buildBackbone('Mine', {}, { table: [mine] }), { code: 'ERR_GRAPH', message })
  }
  const behindStem = (body: () => Module, message: RegExp) => failure(() => new Net(body()), message)
  behindStem(() => new Sequential(new Conv2d(8, 8, 3), new Flatten()), /^body\.0: expected 8 channels, got 16 \(input \[16, 28, 28\], weight \[8, 8, 3, 3\]\)$/)
  behindStem(() => new Sequential(new Flatten(), new Linear(100, 64)), /^body\.1: expected 100 features, got 12544 \(input \[12544\], weight \[64, 100\]\)$/)
  behindStem(() => new Does((x) => F.add(x, F.slice(x, 0, 8))), /^body: operands of one shape expected, got \[16, 28, 28\] and \[8, 28, 28\]/)
  behindStem(() => new Conv2d(16, 8.5, 1), /^body\.weight: expected a shape of whole numbers from 1, got \[8\.5, 16, 1, 1\]/)
  behindStem(() => new Conv2d(16, 0, 1), /^body\.weight: expected a shape of whole numbers from 1, got \[0, 16, 1, 1\]/)
  behindStem(() => new Conv2d(16, 8, 3, { groups: 3 }), /^body\.weight: expected a shape of whole numbers/)
  behindStem(() => new Conv2d(16, 8, 3, { stride: 0 }), /^body: conv2d\.stride: expected two whole numbers from 1, received \[0,0\]/)
  behindStem(() => new Does((x) => void F.relu(x)), /^body: forward of Does returned nothing$/)
  behindStem(() => new Does((x) => F.add(x, 3 as never)), /^body: add takes what layers return, got 3 \(number\)$/)
  behindStem(() => new Does((x) => new Flatten().call(x)), /^body: a Flatten was called that is no property of its module/)
  behindStem(() => new Does((x) => x), /^Mine: expected forward to return an embedding \[D\], got \[16, 28, 28\]; end in Flatten and Linear$/)
  failure(() => undefined, /^Mine: create must return a module of layers, got nothing$/)
  t.end()
})
