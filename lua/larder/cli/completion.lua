--- `larder completion SHELL`: argparse writes the scripts; what zsh's needs so that the path in a URL is completed is added here.
---
--- bash takes the colon for the end of a word, so that what is behind it is a path already.
local example = {
  "source <(larder completion bash)",
  "mkdir -p ~/.zfunc && larder completion zsh >~/.zfunc/_larder",
}

local place = [[

_larder_place() {
  compset -P '[a-z]##:' || compadd -S '' -- lmdb: file: memory:
  _files "$@"
}
]]

--- Add the command to the parser of all commands.
---@param parser table
---@param epilog string
local function add(parser, epilog)
  local written = parser.get_zsh_complete
  function parser:get_zsh_complete()
    local script = written(self):gsub('"(%*?): :_files"', '"%1: :_larder_place"')
    return (script:gsub("\n\n_larder\n$", function(call) return "\n" .. place .. call end))
  end
  parser:add_complete_command { name = "completion", epilog = epilog }
end

return { add = add, example = example }
