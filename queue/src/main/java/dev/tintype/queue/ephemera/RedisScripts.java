package dev.tintype.queue.ephemera;

/**
 * What has to happen at once in Redis, in Lua. Times are the server's, so that processes need not
 * agree about them.
 */
final class RedisScripts {
  private RedisScripts() {}

  /**
   * KEYS value, index of the folder (its sorted set of keys by the time they run out). ARGV bytes,
   * time to live in ms, "1" for only if absent, key, most keys of a folder. Returns 1 if put.
   */
  static final String PUT =
      """
      if ARGV[3] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
      if KEYS[2] then
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
        redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[4])
        redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[5])
        if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then
          redis.call('PEXPIRE', KEYS[2], ARGV[2])
        end
      end
      return 1
      """;

  /** KEYS value, index of the folder. ARGV key. Returns 1 if a value was there. */
  static final String REMOVE =
      """
      if KEYS[2] then redis.call('ZREM', KEYS[2], ARGV[1]) end
      return redis.call('DEL', KEYS[1])
      """;

  /** KEYS counter. ARGV amount, time to live in ms. Returns the sum. */
  static final String ADD =
      """
      local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
      if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
      return sum
      """;

  /**
   * {@link Gcra#take}. KEYS rate. ARGV interval and tolerance in microseconds, cost, burst. Returns
   * allowed (1 or 0), debt and wait in microseconds, the two as text.
   */
  static final String TAKE =
      """
      local time = redis.call('TIME')
      local now = time[1] * 1000000 + time[2]
      local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
      local cost, burst = tonumber(ARGV[3]), tonumber(ARGV[4])
      local free = tonumber(redis.call('GET', KEYS[1]) or '0')
      local owed = math.max(free, now)
      local wait = owed + math.min(cost, burst) * interval - tolerance - now
      if wait <= 0 then
        free = owed + cost * interval
        local keep = math.min(math.ceil((free - now) / 1000) + 1, 31536000000)
        redis.call('SET', KEYS[1], string.format('%.3f', free), 'PX', string.format('%.0f', keep))
      end
      return {wait <= 0 and 1 or 0,
        string.format('%.3f', math.max(free, now) - now), string.format('%.3f', wait)}
      """;
}
