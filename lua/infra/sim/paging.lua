-- Listing in pages. Used by the simulated services; how a service calls its token, its limit and a bad token is its own
-- business.

local crypto = require "host.crypto"

local paging = {}

--- The page of `items` that follows `token` (nil: the first one), at most `limit` items. `items` is an array in the
--- order of `key(item)`, a string that each has for itself. Returns the page and the token of the next one, nil after
--- the last and where `limit` is 0; or nothing when `token` is not one that was handed out. A page begins after the
--- last item of the page before it, so items that come and go meanwhile neither repeat others nor hide them.
function paging.page(ctx, items, key, token, limit)
  local after = token and crypto.unbase64(token)
  if token and not (after and after:find("^after ")) then
    return nil
  end
  after = after and after:sub(#"after " + 1)
  if ctx.short_page then
    limit = 1
  end
  local page = {}
  for _, item in ipairs(items) do
    if not after or key(item) > after then
      if #page == limit then
        return page, page[1] and crypto.base64("after " .. key(page[limit])) or nil
      end
      page[#page + 1] = item
    end
  end
  return page
end

return paging
