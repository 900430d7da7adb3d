-- Random keys of a thousand, with the API key given behind `--`; the figures as one line of JSON.
init = function(arguments)
  math.randomseed(os.time())
  if arguments[1] then
    wrk.headers["authorization"] = "Bearer " .. arguments[1]
  end
end

request = function()
  return wrk.format(nil, "/v1/kv/k" .. math.random(0, 999))
end

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\n{"rate": %.1f, "p50": %.3f, "p99": %.3f, "errors": %d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
