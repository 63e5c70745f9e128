// The peer of the encodes: node sharp.mjs FILE AVIF_EFFORT BLOBS.
// Each line on standard input, "FORMAT WIDTH QUALITY", is one conversion of FILE, which is in memory; the answer is
// {"ns":..,"bytes":..}. GET /FORMAT/WIDTH/QUALITY/SHA256 converts the file ab/cd/abcd... of BLOBS and sends it, as a
// server around sharp does. Settings are the edge's own: one thread, nothing cached, chroma halved, metadata kept.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import sharp from 'sharp'

const png = readFileSync(process.argv[2])
const effort = Number(process.argv[3])
const blobs = process.argv[4]
sharp.concurrency(1)
sharp.cache(false)

const savers = {
  jpeg: (image, quality) => image.jpeg({ quality, optimiseCoding: true, chromaSubsampling: '4:2:0' }),
  webp: (image, quality) => image.webp({ quality }),
  avif: (image, quality) => image.avif({ quality, effort, chromaSubsampling: '4:2:0', bitdepth: 8 })
}

const convert = (bytes, format, width, quality) =>
  savers[format](sharp(bytes).resize(Number(width)).keepMetadata(), Number(quality)).toBuffer()

const server = createServer(async (request, response) => {
  const [, format, width, quality, sha256] = request.url.split('/')
  const original = await readFile(`${blobs}/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`)
  const made = await convert(original, format, width, quality)
  response.writeHead(200, { 'content-type': `image/${format}`, 'content-length': made.length })
  response.end(made)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

const versions = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, node ${process.versions.node}`
console.log(JSON.stringify({ versions, port: server.address().port }))
for await (const line of createInterface({ input: process.stdin })) {
  const [format, width, quality] = line.split(' ')
  const start = process.hrtime.bigint()
  const made = await convert(png, format, width, quality)
  const ns = process.hrtime.bigint() - start
  console.log(JSON.stringify({ ns: Number(ns), bytes: made.length }))
}
process.exit(0)
