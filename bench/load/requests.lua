-- wrk's side of load.mjs. `file FILE [BODY]` sends the requests of a file in turn, each a line "METHOD PATH", all with the
-- same body; they are put together before the clock starts, so that as little as possible of what is measured is the
-- client. `keys BUCKET FROM LAST` puts one byte under each key in order, as fast as the server takes them.
local make

local function of_file(path, body_path)
  local body = nil
  if body_path ~= nil then
    local file = assert(io.open(body_path, "rb"))
    body = file:read("*a")
    file:close()
  end
  local requests, next = {}, 0
  for line in io.lines(path) do
    local method, target = line:match("^(%S+) (%S+)$")
    requests[#requests + 1] = wrk.format(method, target, nil, body)
  end
  return function()
    next = next % #requests + 1
    return requests[next]
  end
end

local function of_keys(bucket, from, last)
  local number = from
  return function()
    local n = math.min(number, last) -- beyond the last one is written again
    number = number + 1
    return wrk.format("PUT", string.format("/%s/key-%08d", bucket, n), nil, "x")
  end
end

function init(args)
  if args[1] == "keys" then
    make = of_keys(args[2], tonumber(args[3]), tonumber(args[4]))
  else
    make = of_file(args[2], args[3])
  end
end

function request()
  return make()
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    "RESULT %d %d %d %d %d\n",
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)
  ))
end
