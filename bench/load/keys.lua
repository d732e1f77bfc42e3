-- Fills a bucket: puts one byte under each key in order, from a number on, as fast as the server takes them.
local bucket, number, last

function init(args)
  bucket, number, last = args[1], tonumber(args[2]), tonumber(args[3])
end

function request()
  -- Beyond the last one is written again.
  local n = math.min(number, last)
  number = number + 1
  return wrk.format("PUT", string.format("/%s/key-%08d", bucket, n), nil, "x")
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    "RESULT %d %d %d %d %d\n",
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)
  ))
end
