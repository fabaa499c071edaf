import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import t from 'tap'

import { downloadFile, downloadText, proxyFor } from '../../lib/setup/download.js'
import { chooseWheel } from '../../lib/setup/sources.js'

const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
const sha256 = createHash('sha256').update(content).digest('hex')

/** Serves `content`, with byte ranges; the first answer breaks off after `breakAfter` bytes. */
async function serve(breakAfter?: number): Promise<{ server: Server; url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = []
  const server = createServer((request, response) => {
    if (request.url === '/moved') return void response.writeHead(302, { location: '/file' }).end()
    if (request.url !== '/file') return void response.writeHead(404).end('no')
    ranges.push(request.headers.range)
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (start >= content.length) return void response.writeHead(416).end()
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': content.length - start })
    if (breakAfter !== undefined && ranges.length === 1) response.write(content.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 50))
    else response.end(content.subarray(start))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, ranges, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

t.test('a download that breaks off continues where it stopped', async (t) => {
  const { server, url, ranges } = await serve(30_000)
  t.teardown(() => server.close())
  const file = path.join(t.testdir(), 'file')
  let last: [number, number | undefined] = [0, 0]
  await downloadFile(`${url}/file`, file, sha256, (...progress) => (last = progress))
  t.ok(readFileSync(file).equals(content))
  t.equal(ranges[0], undefined)
  t.match(ranges[1], /^bytes=[1-9]\d*-$/)
  t.same(last, [content.length, content.length], 'progress counts what was there before')
})

t.test('a part that an earlier process left is used, and finished', async (t) => {
  const { server, url, ranges } = await serve()
  t.teardown(() => server.close())
  const file = path.join(t.testdir(), 'file')
  writeFileSync(`${file}.part`, content)
  await downloadFile(`${url}/moved`, file, sha256, () => {})
  t.ok(readFileSync(file).equals(content))
  t.same(ranges, [`bytes=${content.length}-`])
})

t.test('content that does not match its checksum is removed', async (t) => {
  const { server, url } = await serve()
  t.teardown(() => server.close())
  const file = path.join(t.testdir(), 'file')
  await t.rejects(downloadFile(`${url}/file`, file, '0'.repeat(64), () => {}), { code: 'ERR_SETUP', message: /expected SHA-256 0000/ })
  t.notOk(existsSync(file) || existsSync(`${file}.part`))
})

t.test('an answer that is a failure is an error', async (t) => {
  const { server, url } = await serve()
  t.teardown(() => server.close())
  await t.rejects(downloadText(`${url}/absent`), /answered 404/)
})

t.test('HTTPS_PROXY is used except for hosts in NO_PROXY', async (t) => {
  const env = { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'localhost, .example.org,mirror.net' }
  t.equal(proxyFor('pytorch.org', env), 'http://proxy:3128')
  t.equal(proxyFor('pytorch.org', { https_proxy: 'http://lower:1' }), 'http://lower:1')
  for (const host of ['localhost', 'a.example.org', 'mirror.net', 'x.mirror.net']) t.equal(proxyFor(host, env), undefined, host)
  t.equal(proxyFor('notmirror.net', env), 'http://proxy:3128')
  t.equal(proxyFor('anything', { ...env, NO_PROXY: '*' }), undefined)
  t.equal(proxyFor('anything', {}), undefined)
})

t.test('the index gives the wheel of this platform with its checksum', { skip: process.platform !== 'linux' || process.arch !== 'x64' }, async (t) => {
  const page = new URL('https://host.test/whl/cpu/torch/')
  const link = (name: string, hash: string) => `<a href="/whl/cpu/${name}#sha256=${hash}">${name}</a><br/>\n`
  const html =
    link('torch-2.12.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl', 'a'.repeat(64)) +
    link('torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_aarch64.whl', 'b'.repeat(64)) +
    link('torch-2.13.0%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl', 'c'.repeat(64))
  const { url, sha256: checksum } = chooseWheel(html, page, '2.13.0')
  t.equal(url.href, 'https://host.test/whl/cpu/torch-2.13.0%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl')
  t.equal(checksum, 'c'.repeat(64))
  t.throws(() => chooseWheel(html, page, '2.14.0'), { code: 'ERR_SETUP' })
})
