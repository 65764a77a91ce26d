local shell_words = require "infra.aws.shell_words"

describe("infra.aws.shell_words", function()
  it("splits at blanks that are not quoted", function()
    for text, words in pairs {
      [""] = {}, ["  "] = {}, [" a  b\tc "] = { "a", "b", "c" },
      [ [['a b' "c d" e\ f]] ] = { "a b", "c d", "e f" },
      [ [[a'b'"c"d '' ""]] ] = { "abcd", "", "" },
      [ [["a \"b\" \\ \n" 'c\d']] ] = { [[a "b" \ \n]], [[c\d]] },
      [ [[$HOME `x` ~ *]] ] = { "$HOME", "`x`", "~", "*" },
    } do
      assert.same(words, shell_words(text))
    end
  end)

  it("refuses a quote that is never closed", function()
    for _, text in ipairs { "'a", '"a', 'a "b\\"', "a 'b\" c", "a\\" } do
      assert.is_nil(shell_words(text))
    end
  end)
end)
