-- Run by wrk: sends the requests of a file, and prints what was measured as one line of JSON.
--   BENCH_REQUESTS    file with a request a line: the path, or the path, a tab and a bearer token
--   BENCH_ORDER       "random" or "cycle"
--   BENCH_BODY_BYTES  above 0: each is a POST with a body so long

local file = os.getenv("BENCH_REQUESTS")
local random = os.getenv("BENCH_ORDER") == "random"
local bodyBytes = tonumber(os.getenv("BENCH_BODY_BYTES") or "0")

local requests = {}
local sent = 0

function init()
  if file == nil then return end
  local method = bodyBytes > 0 and "POST" or "GET"
  local body = bodyBytes > 0 and string.rep("x", bodyBytes) or nil
  for line in io.lines(file) do
    local path, token = line:match("^([^\t]+)\t?(.*)$")
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

-- Without it, wrk repeats one request at no cost.
if file ~= nil then
  function request()
    sent = sent + 1
    if random then return requests[math.random(#requests)] end
    return requests[(sent - 1) % #requests + 1]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'bench {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
