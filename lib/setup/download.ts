/**
 * Downloads one large file over HTTPS: continues where an earlier attempt stopped, goes through the proxy of
 * HTTPS_PROXY and NO_PROXY, and checks the SHA-256.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { Agent, ProxyAgent, request, type Dispatcher } from 'undici'

import { FacexError, messageOf } from '../errors.js'

const ATTEMPTS = 5
const TIMEOUTS = { connectTimeout: 30_000, bodyTimeout: 60_000 }

/** Called now and then; `total` is undefined where the server does not say. */
export type DownloadProgress = (received: number, total: number | undefined) => void

/** Text of a small page. */
export async function downloadText(url: string): Promise<string> {
  const { body } = await get(url, {})
  return body.text()
}

/**
 * Downloads `url` to `file`. What has arrived stays in `FILE.part` when it fails, and the next call continues there.
 * @throws FacexError ERR_SETUP after five attempts, or when the content is not what `sha256` says
 */
export async function downloadFile(url: string, file: string, sha256: string | undefined, onProgress: DownloadProgress): Promise<void> {
  const part = `${file}.part`
  for (let attempt = 1; ; attempt++) {
    try {
      await continueDownload(url, part, onProgress)
      break
    } catch (error) {
      if (attempt === ATTEMPTS) throw new FacexError('ERR_SETUP', `${url}: download failed: ${messageOf(error)}`, { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt))
    }
  }
  const digest = await sha256Of(part)
  if (sha256 !== undefined && digest !== sha256) {
    rmSync(part)
    throw new FacexError('ERR_SETUP', `${url}: expected SHA-256 ${sha256}, received ${digest}; the file was removed`)
  }
  renameSync(part, file)
}

/** SHA-256 of a file in lower-case hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The proxy that HTTPS_PROXY and NO_PROXY (in either case) name for a host; undefined for a direct connection. */
export function proxyFor(host: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const proxy = env['HTTPS_PROXY'] || env['https_proxy']
  const exceptions = (env['NO_PROXY'] ?? env['no_proxy'] ?? '').split(/[\s,]+/).filter((name) => name !== '')
  const direct = exceptions.some((name) => name === '*' || host === name || host.endsWith(`.${name.replace(/^\*?\./, '')}`))
  return proxy && !direct ? proxy : undefined
}

function dispatcherFor(url: string): Dispatcher {
  const proxy = proxyFor(new URL(url).hostname)
  return proxy === undefined ? new Agent(TIMEOUTS) : new ProxyAgent({ ...TIMEOUTS, uri: proxy })
}

async function continueDownload(url: string, part: string, onProgress: DownloadProgress): Promise<void> {
  const start = existsSync(part) ? statSync(part).size : 0
  const { statusCode, headers, body } = await get(url, start > 0 ? { range: `bytes=${start}-` } : {})
  if (statusCode === 416) return // the part is already complete; the checksum decides whether it is right
  const offset = statusCode === 206 ? start : 0
  const length = Number(headers['content-length'])
  let received = offset
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length
      onProgress(received, Number.isNaN(length) ? undefined : offset + length)
      done(null, chunk)
    },
  })
  await pipeline(body as Readable, count, createWriteStream(part, { flags: offset > 0 ? 'a' : 'w' }))
}

/** GET that follows redirects; 416 is an answer, every other failure an error. */
async function get(url: string, headers: Record<string, string>): Promise<Dispatcher.ResponseData> {
  let target = url
  for (let redirects = 0; redirects < 10; redirects++) {
    const response = await request(target, { dispatcher: dispatcherFor(target), headers: { 'user-agent': 'facex', ...headers } })
    const location = response.headers['location']
    if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
      await response.body.dump()
      target = new URL(location, target).href
      continue
    }
    if (response.statusCode < 400 || response.statusCode === 416) return response
    await response.body.dump()
    throw new Error(`the server answered ${response.statusCode}`)
  }
  throw new Error('too many redirects')
}
