/** The scripts that run inside Redis; each is one atomic step on one space. */

/** How many changes a space keeps for those who missed some. */
export const LOG_LENGTH = 1_000;
/** A larger change is told without its content: a thousand documents in the log would fill the memory. */
const DELTA_MAX_BYTES = 32 * 1024;

/** The server's time; and numbers as texts, which Lua would write as 1.7e+15. */
const CLOCK = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local function digits(number) return string.format('%.0f', number) end
`;

/**
 * KEYS: epoch, rev, log. ARGV: nonce, publishing command, channel, length of the log.
 *
 * `open` begins a new epoch where there is none, and where another server began the one that
 * stands: after a failover or a restart acknowledged writes may be gone, and with them
 * revisions that others have seen. A server tells itself by its run id.
 *
 * Everything is written before `publish`, and a refused PUBLISH (no permission for the
 * channel) undoes nothing: the stream has the change, and polls find it.
 */
const CHANGING = `${CLOCK}
local function runId()
  local info = redis.pcall('INFO', 'server')
  if type(info) ~= 'string' then return '0' end
  return string.sub(string.match(info, 'run_id:(%x+)') or '0', 1, 12)
end

local function open()
  local epoch, revision = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
  local run = runId()
  if epoch and revision and string.match(epoch, '^%d+%-(%x+)%-') == run then
    return epoch, tonumber(revision)
  end
  epoch = digits(nowMs) .. '-' .. run .. '-' .. ARGV[1]
  redis.call('SET', KEYS[1], epoch)
  redis.call('SET', KEYS[2], revision or '0')
  redis.call('DEL', KEYS[3])
  return epoch, tonumber(revision or '0')
end

local function publish(epoch, revision, entries)
  redis.call('SET', KEYS[2], digits(revision))
  local changes = '[' .. table.concat(entries, ',') .. ']'
  if #changes > ${DELTA_MAX_BYTES} then changes = 'null' end
  local delta = '{"epoch":' .. cjson.encode(epoch) .. ',"rev":' .. digits(revision)
    .. ',"delta":' .. changes .. '}'
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], digits(revision) .. '-0', 'delta', delta)
  local sent = redis.pcall(ARGV[2], ARGV[3], delta)
  return type(sent) == 'table' and sent.err and 0 or 1
end
`;

/**
 * KEYS from 4: records and leases of each mutation. ARGV from 5, seven each: type, kind, id,
 * owner, value, lease in ms (0 for none), condition (`''`, or `absent`, or `generation N`, or
 * `notNewerThan N`). A record is stored as `<generation> <owner or -> <JSON>`.
 *
 * Returns `{1, epoch, revision, published, generations…}` or `{0, index, generation}`.
 */
const CHANGE = `#!lua
${CHANGING}
local count = (#ARGV - 4) / 7
local function mutation(index)
  local at = 4 + (index - 1) * 7
  local stored = redis.call('HGET', KEYS[2 + index * 2], ARGV[at + 3])
  local generation, owner, value = nil, nil, nil
  if stored then generation, owner, value = string.match(stored, '^(%d+) (%S+) (.*)$') end
  return {
    records = KEYS[2 + index * 2], leases = KEYS[3 + index * 2],
    type = ARGV[at + 1], kind = ARGV[at + 2], id = ARGV[at + 3], owner = ARGV[at + 4],
    value = ARGV[at + 5], lease = tonumber(ARGV[at + 6]), condition = ARGV[at + 7],
    stored = stored and { generation = tonumber(generation), owner = owner, value = value },
  }
end

local function holds(m)
  if m.condition == '' then return true end
  if m.condition == 'absent' then return not m.stored end
  local word, number = string.match(m.condition, '^(%a+) (%d+)$')
  number = tonumber(number)
  if word == 'generation' then return m.stored and m.stored.generation == number end
  if not m.stored or (m.owner ~= '-' and m.stored.owner == m.owner) then return true end
  return m.stored.generation <= number
end

local mutations = {}
for index = 1, count do
  local m = mutation(index)
  if not holds(m) then return {0, digits(index - 1), digits(m.stored and m.stored.generation or 0)} end
  mutations[index] = m
end

local epoch, revision = open()
local entries, generations = {}, {}
for index, m in ipairs(mutations) do
  local name = '[' .. cjson.encode(m.kind) .. ',' .. cjson.encode(m.id)
  if m.type == 'remove' then
    generations[index] = '0'
    redis.call('ZREM', m.leases, m.id)
    if redis.call('HDEL', m.records, m.id) == 1 then entries[#entries + 1] = name .. ']' end
  else
    local isSameOwner = m.stored and m.owner ~= '-' and m.stored.owner == m.owner
    local generation = time[1] * 1000000 + time[2]
    if isSameOwner then generation = m.stored.generation
    elseif m.stored then generation = math.max(generation, m.stored.generation + 1) end
    generations[index] = digits(generation)
    if m.lease > 0 then redis.call('ZADD', m.leases, digits(nowMs + m.lease), m.id)
    else redis.call('ZREM', m.leases, m.id) end
    if not (isSameOwner and m.stored.value == m.value) then
      redis.call('HSET', m.records, m.id, generations[index] .. ' ' .. m.owner .. ' ' .. m.value)
      local owner = m.owner == '-' and '' or m.owner
      entries[#entries + 1] = name .. ',' .. generations[index] .. ',' .. cjson.encode(owner)
        .. ',' .. m.value .. ']'
    end
  end
end

local published = 1
if #entries > 0 then
  revision = revision + 1
  published = publish(epoch, revision, entries)
end
return {1, epoch, digits(revision), published, unpack(generations)}
`;

/**
 * KEYS: records, leases. ARGV: id, owner, lease in ms.
 *
 * Allowed while Redis is out of memory: it makes nothing larger, and leases that run out
 * because the memory did would empty the registry.
 */
const RENEW = `#!lua flags=allow-oom
${CLOCK}
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then return 'unknown' end
if string.match(stored, '^%d+ (%S+) ') ~= ARGV[2] then return 'superseded' end
redis.call('ZADD', KEYS[2], digits(nowMs + ARGV[3]), ARGV[1])
return 'renewed'
`;

/**
 * KEYS from 4: records, leases, and, where a space without records is to be forgotten, the
 * records of all kinds. ARGV from 5: kind, share, rest in ms. Returns the ids it took.
 *
 * A clock that was set back makes an epoch begin in the future, which is no reason to rest.
 */
const EXPIRE = `#!lua
${CHANGING}
local records, leases, kind = KEYS[4], KEYS[5], ARGV[5]
local epoch, revision = open()
local age = nowMs - tonumber(string.match(epoch, '^%d+'))
if age >= 0 and age < tonumber(ARGV[7]) then return {} end
local limit = math.max(1, math.floor(redis.call('HLEN', records) * ARGV[6]))
local ids = redis.call('ZRANGEBYSCORE', leases, '-inf', digits(nowMs), 'LIMIT', 0, limit)
local entries, taken = {}, {}
for _, id in ipairs(ids) do
  redis.call('ZREM', leases, id)
  if redis.call('HDEL', records, id) == 1 then
    entries[#entries + 1] = '[' .. cjson.encode(kind) .. ',' .. cjson.encode(id) .. ']'
    taken[#taken + 1] = id
  end
end
if #KEYS > 5 then
  local left = 0
  for index = 6, #KEYS do left = left + redis.call('HLEN', KEYS[index]) end
  if left == 0 then
    redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
    return taken
  end
end
if #entries > 0 then publish(epoch, revision + 1, entries) end
return taken
`;

/** KEYS: epoch, rev, then the records of each kind. Returns `{epoch, revision, HGETALL…}`. */
const READ = `#!lua flags=no-writes
local reply = { redis.call('GET', KEYS[1]) or '', redis.call('GET', KEYS[2]) or '0' }
for index = 3, #KEYS do reply[index] = redis.call('HGETALL', KEYS[index]) end
return reply
`;

/** KEYS: reports, their ends. ARGV: id, value, lease in ms. Clears away up to 100 that have ended. */
const REPORT = `#!lua
${CLOCK}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], digits(nowMs + ARGV[3]), ARGV[1])
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', digits(nowMs), 'LIMIT', 0, 100)
if #ended > 0 then
  redis.call('ZREM', KEYS[2], unpack(ended))
  redis.call('HDEL', KEYS[1], unpack(ended))
end
return 1
`;

/** KEYS: reports, their ends. Returns `{id, value, …}` of those that have not ended. */
const REPORTS = `#!lua flags=no-writes
${CLOCK}
local reply = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. digits(nowMs), '+inf')) do
  local value = redis.call('HGET', KEYS[1], id)
  if value then
    reply[#reply + 1] = id
    reply[#reply + 1] = value
  end
end
return reply
`;

/** Undefined `numberOfKeys`: it is the first argument of the call. */
export const SCRIPTS = {
  meshgateChange: { lua: CHANGE },
  meshgateRenew: { lua: RENEW, numberOfKeys: 2 },
  meshgateExpire: { lua: EXPIRE },
  meshgateRead: { lua: READ },
  meshgateReport: { lua: REPORT, numberOfKeys: 2 },
  meshgateReports: { lua: REPORTS, numberOfKeys: 2 },
} as const;

/** The scripts as methods of a client that has them defined. */
export type ScriptCalls = Readonly<
  Record<keyof typeof SCRIPTS, (...args: readonly (string | number)[]) => Promise<unknown>>
>;
