-- wrk's side of load.mjs: sends the requests of a file in turn, each a line "METHOD PATH", all with the same body.
-- Requests are put together before the clock starts, so that as little as possible of what is measured is the client.
local requests = {}
local next = 0

function init(args)
  local body = nil
  if args[2] ~= nil then
    local file = assert(io.open(args[2], "rb"))
    body = file:read("*a")
    file:close()
  end
  for line in io.lines(args[1]) do
    local method, path = line:match("^(%S+) (%S+)$")
    requests[#requests + 1] = wrk.format(method, path, nil, body)
  end
end

function request()
  next = next % #requests + 1
  return requests[next]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    "RESULT %d %d %d %d %d\n",
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)
  ))
end
