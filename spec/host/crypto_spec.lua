local crypto = require "host.crypto"

local hex, unhex = crypto.hex, crypto.unhex

describe("host.crypto", function()
  describe("digests", function()
    it("are those of FIPS 180-4 and RFC 1321", function()
      assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hex(crypto.sha256 ""))
      assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hex(crypto.sha256 "abc"))
      assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", hex(crypto.sha1 "abc"))
      assert.equal("900150983cd24fb0d6963f7d28e17f72", hex(crypto.md5 "abc"))
    end)

    it("take NUL bytes as any other", function()
      assert.not_equal(crypto.sha256 "a\0b", crypto.sha256 "a")
    end)

    it("authenticate as RFC 4231 says", function()
      assert.equal("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        hex(crypto.hmac_sha256(("\x0b"):rep(20), "Hi There")))
      assert.equal("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        hex(crypto.hmac_sha256(("\xaa"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First")))
      assert.equal("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", hex(crypto.hmac_sha256("", "")))
    end)

    it("can be fed in pieces", function()
      for _, name in ipairs { "md5", "sha1", "sha256" } do
        local hasher = crypto.hasher(name)
        assert.equal(hasher, hasher:update "a")
        assert.equal(crypto[name] "abc", hasher:update("b"):update(""):update("c"):digest())
      end
    end)

    it("are given out once", function()
      local hasher = crypto.hasher "sha256"
      hasher:digest()
      assert.error_matches(function() hasher:update "x" end, "already taken")
      assert.error_matches(function() hasher:digest() end, "already taken")
      assert.has_error(function() crypto.hasher "sha3" end)
    end)

    it("are not lost with a hasher that is closed or collected", function()
      local closed
      do
        local hasher <close> = crypto.hasher "md5"
        closed = hasher:update "x"
      end
      assert.has_error(function() closed:digest() end)
      crypto.hasher("md5"):update "x"
      collectgarbage()
    end)

    it("check sums as zlib does", function()
      assert.equal(0xCBF43926, crypto.crc32 "123456789")
      assert.equal(0, crypto.crc32 "")
      assert.equal(0xCBF43926, crypto.crc32("56789", crypto.crc32 "1234"))
    end)
  end)

  describe("hex and base64", function()
    it("go both ways", function()
      local bytes = {}
      for i = 0, 255 do
        bytes[#bytes + 1] = string.char(i)
        local text = table.concat(bytes)
        assert.equal(text, unhex(hex(text)))
        assert.equal(text, crypto.unbase64(crypto.base64(text)))
      end
      assert.equal("", unhex "")
      assert.equal("", crypto.unbase64 "")
      assert.equal("\xAB", unhex "aB")
    end)

    it("follow RFC 4648", function()
      for plain, text in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", ["\xFB\xFF"] = "+/8=" } do
        assert.equal(text, crypto.base64(plain))
      end
    end)

    it("refuse what is neither", function()
      for _, text in ipairs { "a", "abc", "zz", "0x", " 0", "0\0" } do
        local bytes, err = unhex(text)
        assert.is_nil(bytes)
        assert.equal("BadHex", err.code)
      end
      for _, text in ipairs {
        "Zg", "Zg=", "Zg==\n", " Zg==", "Zm9v----", "Z===", "====", "Z=g=", "Zg==Zg==", "Zm9\0", "Zm_v",
      } do
        local bytes, err = crypto.unbase64(text)
        assert.is_nil(bytes, text)
        assert.equal("BadBase64", err.code)
      end
    end)
  end)

  describe("encryption", function()
    local key = ("k"):rep(32)

    it("gives back what was encrypted, for the same key and context only", function()
      for _, plain in ipairs { "", "secret", ("x"):rep(100000), "a\0b" } do
        local sealed = crypto.encrypt(key, plain, "db/password")
        assert.equal(#plain + 12 + 16, #sealed)
        assert.equal(plain, crypto.decrypt(key, sealed, "db/password"))
        for _, wrong in ipairs {
          { ("K"):rep(32), sealed, "db/password" }, { key, sealed, "db/other" }, { key, sealed },
        } do
          local result, err = crypto.decrypt(table.unpack(wrong))
          assert.is_nil(result)
          assert.equal("DecryptionFailed", err.code)
        end
      end
    end)

    it("takes no context for an empty one", function()
      assert.equal("x", crypto.decrypt(key, crypto.encrypt(key, "x"), ""))
    end)

    it("notices any changed bit and any cut", function()
      local sealed = crypto.encrypt(key, "secret")
      for i = 1, #sealed do
        local changed = sealed:sub(1, i - 1) .. string.char(sealed:byte(i) ~ 1) .. sealed:sub(i + 1)
        assert.is_nil((crypto.decrypt(key, changed)))
        assert.is_nil((crypto.decrypt(key, sealed:sub(1, i - 1))))
      end
      assert.is_nil((crypto.decrypt(key, sealed .. "\0")))
    end)

    it("never seals twice alike", function()
      assert.not_equal(crypto.encrypt(key, "x"), crypto.encrypt(key, "x"))
    end)

    it("opens what earlier versions sealed", function()
      -- AES-256-GCM, test case 16 of the GCM specification
      local sealed = unhex("cafebabefacedbaddecaf888"
        .. "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        .. "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        .. "76fc6ece0f4e1768cddf8853bb2d551b")
      local plain = crypto.decrypt(unhex(("feffe9928665731c6d6a8f9467308308"):rep(2)), sealed,
        unhex "feedfacedeadbeeffeedfacedeadbeefabaddad2")
      assert.matches("^d9313225f88406e5", hex(plain))
    end)

    it("throws for keys of another length", function()
      assert.error_matches(function() crypto.encrypt("short", "x") end, "32 bytes")
      assert.error_matches(function() crypto.decrypt(key .. "x", "x") end, "32 bytes")
    end)
  end)

  it("gives random bytes", function()
    assert.equal(16, #crypto.random(16))
    assert.equal("", crypto.random(0))
    assert.not_equal(crypto.random(16), crypto.random(16))
    assert.has_error(function() crypto.random(-1) end)
  end)

  it("compares without telling where", function()
    assert.is_true(crypto.equal("", ""))
    assert.is_true(crypto.equal("a\0b", "a\0b"))
    assert.is_false(crypto.equal("a\0b", "a\0c"))
    assert.is_false(crypto.equal("a", "ab"))
  end)
end)
