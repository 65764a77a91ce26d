-- Converts the text of an option that takes a whole number, 1 or more, for argparse. Used by the verbs that have one.

--- A converter for `option`, named as it is typed.
return function(option)
  return function(text)
    local number = math.tointeger(tonumber(text))
    if number and number >= 1 then
      return number
    end
    return nil, ("%s must be a whole number, 1 or more, not '%s'"):format(option, text)
  end
end
