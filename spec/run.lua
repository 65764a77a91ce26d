-- Runs the specs inside the built binary: infra exec spec/run.lua [FILE | DIR ...]
package.path = "./?.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua"
package.cpath = "/usr/lib/x86_64-linux-gnu/lua/5.4/?.so"
if #arg == 0 then arg[1] = "spec" end
require "busted.runner" { standalone = false }
