-- The journal: no mutating request leaves before its intent is on the disk. All intents of one turn of the loop share
-- one transaction with the resource rows they belong to. Used by handler/operation. What a crash leaves open is settled
-- by engine/refresh (creates) or by comparing with AWS (everything else), and closed by engine/apply's next run.

local Journal = {}
Journal.__index = Journal

--- A journal on a writable, attached store.
function Journal.new(store)
  return setmetatable({ store = store, last = store:last_intent(), uncertain = {} }, Journal)
end

--- Records the intent { address, action, service, operation, region, token, digest } and waits until it is durable.
--- Yields. Returns its id, or nil and an error: then the request must not leave.
function Journal:open(intent)
  self.last = self.last + 1
  local id = self.last
  self.store:add_intent(id, intent)
  local ok, err = self.store:sync()
  if not ok then
    return nil, err
  end
  return id
end

--- Records the answer of the intent `id` of generation `token`; durable with the next commit. A lost answer leaves the
--- intent open.
function Journal:close(id, token, err)
  if err and err.unknown_outcome then
    self.uncertain[token] = true
  else
    self.store:close_intent(id, err and err.code)
  end
end

--- What became of the generation `token` is known now: closes what lost answers left open. Durable with the next
--- commit.
function Journal:settle(token)
  if self.uncertain[token] then
    self.uncertain[token] = nil
    self.store:settle_intents(token)
  end
end

return Journal
