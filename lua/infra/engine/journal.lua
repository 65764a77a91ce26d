-- The journal: no mutating request leaves before its intent is on the disk. All intents of one turn of the loop share one
-- transaction with the resource rows they belong to. Used by handler/operation; what a crash leaves open is settled by
-- engine/refresh (creates) or by comparing with AWS (everything else), and closed by engine/apply's next run.

local Journal = {}
Journal.__index = Journal

--- A journal on a writable, attached store.
function Journal.new(store)
  return setmetatable({ store = store, last = store:last_intent() }, Journal)
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

--- Records the answer; durable with the next commit. A lost answer leaves the intent open.
function Journal:close(id, err)
  if not (err and err.unknown_outcome) then
    self.store:close_intent(id, err and err.code)
  end
end

return Journal
