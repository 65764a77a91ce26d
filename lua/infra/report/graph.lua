-- A stack as a picture of its resources and what they need: Graphviz's language, Mermaid, JSON. Used by `infra graph`.
--
-- Every layer is a box. Edges go from a resource to those it needs; what follows from other edges anyway is left out,
-- so that the picture shows the shape of the architecture and not every reference.

local json = require "host.json"
local sorted_keys = require "infra.sorted_keys"

local graph = {}

-- The box of a layer, and the edges that leave it.
local PALETTE = {
  { "#dbeafe", "#2563eb" }, { "#dcfce7", "#16a34a" }, { "#fef3c7", "#d97706" }, { "#fce7f3", "#db2777" },
  { "#ede9fe", "#7c3aed" }, { "#cffafe", "#0891b2" }, { "#fee2e2", "#dc2626" }, { "#f3f4f6", "#4b5563" },
  { "#ecfccb", "#65a30d" }, { "#ffedd5", "#9a3412" },
}

local function layer_of(resource)
  return resource.layer or "stack"
end

-- For every address the set of everything it needs, directly or not. `order` has each after its dependencies.
local function closures(declaration)
  local reach = {}
  for _, address in ipairs(declaration.order) do
    local set = {}
    for needed in pairs(declaration.resources[address].dependencies) do
      set[needed] = true
      for further in pairs(reach[needed]) do
        set[further] = true
      end
    end
    reach[address] = set
  end
  return reach
end

--- The picture as data: { stack, layers = { { name, resources = { { address, name, type } } } },
--- edges = { { from, to } } }.
function graph.data(declaration)
  local reach = closures(declaration)
  local layers, by_name, edges = json.array {}, {}, json.array {}
  for _, address in ipairs(declaration.order) do
    local resource = declaration.resources[address]
    local name = layer_of(resource)
    if not by_name[name] then
      by_name[name] = { name = name, resources = json.array {} }
      layers[#layers + 1] = by_name[name]
    end
    table.insert(by_name[name].resources, { address = address, name = resource.name, type = resource.type.name })
    for _, needed in ipairs(sorted_keys(resource.dependencies)) do
      local implied = false
      for other in pairs(resource.dependencies) do
        implied = implied or reach[other][needed]
      end
      if not implied then
        edges[#edges + 1] = { from = address, to = needed }
      end
    end
  end
  return { stack = declaration.name, layers = layers, edges = edges }
end

-- "AWS::EC2::VPC" -> "EC2 VPC"
local function short_type(name)
  return (name:gsub("^%w+::", ""):gsub("::", " "))
end

local function quote(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

--- In Graphviz's language, for dot.
function graph.dot(declaration)
  local data = graph.data(declaration)
  local lines = {
    "digraph " .. quote(data.stack) .. " {",
    '  graph [rankdir=LR, fontname="Helvetica", fontsize=18, label=' .. quote(data.stack) .. ", labelloc=t, " ..
      "labeljust=l, nodesep=0.15, ranksep=0.7];",
    '  node [shape=box, style="rounded,filled", fillcolor=white, color="#6b7280", fontname="Helvetica", ' ..
      'fontsize=10, height=0.3, margin="0.1,0.05"];',
    "  edge [arrowsize=0.6];",
  }
  local colour_of = {} -- of the edges that leave an address
  for i, layer in ipairs(data.layers) do
    local fill, line = table.unpack(PALETTE[(i - 1) % #PALETTE + 1])
    lines[#lines + 1] = ("  subgraph cluster_%d {"):format(i)
    lines[#lines + 1] = ('    label=%s; style="rounded,filled"; color="%s"; fillcolor="%s"; fontsize=14;'):format(
      quote(layer.name), line, fill)
    for _, resource in ipairs(layer.resources) do
      colour_of[resource.address] = line
      lines[#lines + 1] = ('    %s [label=<<b>%s</b><br/><font point-size="8" color="#4b5563">%s</font>>];'):format(
        quote(resource.address), resource.name, short_type(resource.type))
    end
    lines[#lines + 1] = "  }"
  end
  for _, edge in ipairs(data.edges) do
    lines[#lines + 1] = ('  %s -> %s [color="%s"];'):format(quote(edge.from), quote(edge.to), colour_of[edge.from])
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

--- In Mermaid's language, for Markdown.
function graph.mermaid(declaration)
  local data = graph.data(declaration)
  local ids, lines = {}, { "flowchart LR" }
  local count = 0
  for _, layer in ipairs(data.layers) do
    lines[#lines + 1] = ('  subgraph %s["%s"]'):format(layer.name:gsub("%W", "_"), layer.name)
    for _, resource in ipairs(layer.resources) do
      count = count + 1
      ids[resource.address] = "r" .. count
      local label = resource.name .. "<br/><small>" .. short_type(resource.type) .. "</small>"
      lines[#lines + 1] = ('    r%d["%s"]'):format(count, label)
    end
    lines[#lines + 1] = "  end"
  end
  for _, edge in ipairs(data.edges) do
    lines[#lines + 1] = ("  %s --> %s"):format(ids[edge.from], ids[edge.to])
  end
  return table.concat(lines, "\n") .. "\n"
end

--- As JSON.
function graph.json(declaration)
  return json.encode(graph.data(declaration), { indent = true }) .. "\n"
end

return graph
