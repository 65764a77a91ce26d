-- Lifecycle policies and repository policies of the simulated ECR. Operations of infra.sim.ecr; allow_lambda is what
-- the simulated Lambda does to a repository. Lifecycle rules are kept, never carried out: ECR takes up to a day for
-- that.

local arns = require "infra.sim.arns"
local entities = require "infra.sim.ecr.entities"
local json = require "host.json"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local policies = { operations = {} }
local operations = policies.operations
local fail, invalid = entities.fail, entities.invalid

-- -- lifecycle --------------------------------------------------------------------------------------------------------

local LIFECYCLE = { fewest = 100, most = 30720 }
local TAG_STATUSES = { tagged = true, untagged = true, any = true }
local COUNT_TYPES = { imageCountMoreThan = true, sinceImagePushed = true }

-- What is wrong with a rule, or nil. `priorities`: those of the rules before it.
local function rule_problem(rule, priorities)
  local selection = type(rule) == "table" and rule.selection
  if type(selection) ~= "table" or type(rule.action) ~= "table" or rule.action.type ~= "expire" then
    return "each rule must have a selection and the action type expire"
  elseif math.type(rule.rulePriority) ~= "integer" or rule.rulePriority < 1 or priorities[rule.rulePriority] then
    return "each rulePriority must be an integer greater than 0 and unique"
  elseif not TAG_STATUSES[selection.tagStatus] or not COUNT_TYPES[selection.countType] then
    return "tagStatus must be tagged, untagged or any, and countType imageCountMoreThan or sinceImagePushed"
  elseif math.type(selection.countNumber) ~= "integer" or selection.countNumber < 1 then
    return "countNumber must be an integer greater than 0"
  elseif (selection.countType == "sinceImagePushed") ~= (selection.countUnit == "days") then
    return "countUnit must be days with sinceImagePushed, and must not be there with imageCountMoreThan"
  elseif (selection.tagStatus == "tagged") ~= ((selection.tagPrefixList or selection.tagPatternList) ~= nil) then
    return "tagPrefixList or tagPatternList is required when tagStatus is tagged, and only then"
  end
end

local function lifecycle_problem(document)
  if type(document) ~= "table" or not json.is_array(document.rules) or #document.rules == 0 then
    return "rules are required"
  end
  local priorities, highest, any = {}, 0, nil
  for _, rule in ipairs(document.rules) do
    local problem = rule_problem(rule, priorities)
    if problem then
      return problem
    elseif rule.selection.tagStatus == "any" and any then
      return "only one rule can have the tagStatus any"
    end
    priorities[rule.rulePriority] = true
    highest = math.max(highest, rule.rulePriority)
    any = rule.selection.tagStatus == "any" and rule.rulePriority or any
  end
  return any and any < highest and "a rule with the tagStatus any must have the highest rulePriority" or nil
end

local function lifecycle_of(ctx, repository)
  return repository.lifecycle or fail(ctx, "LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for "
    .. "the repository with name '%s' in the registry with id '%s'", repository.repositoryName, ctx.account)
end

-- ECR keeps what the text says, not how it is written.
function operations.PutLifecyclePolicy(ctx, params)
  local repository, text = entities.named(ctx, params), params.lifecyclePolicyText
  local document = json.decode(text)
  local problem = (#text < LIFECYCLE.fewest or #text > LIFECYCLE.most)
    and ("must have a length between %d and %d"):format(LIFECYCLE.fewest, LIFECYCLE.most) or lifecycle_problem(document)
  if problem then
    invalid(ctx, "LifecyclePolicyText", "Lifecycle policy validation failure: %s", problem)
  end
  table.sort(document.rules, function(a, b) return a.rulePriority < b.rulePriority end)
  repository.lifecycle = json.encode(document)
  entities.put(ctx, repository)
  return entities.answer(ctx, repository, { lifecyclePolicyText = repository.lifecycle })
end

function operations.GetLifecyclePolicy(ctx, params)
  local repository = entities.named(ctx, params)
  return entities.answer(ctx, repository, { lifecyclePolicyText = lifecycle_of(ctx, repository) })
end

function operations.DeleteLifecyclePolicy(ctx, params)
  local repository = entities.named(ctx, params)
  local output = entities.answer(ctx, repository, { lifecyclePolicyText = lifecycle_of(ctx, repository) })
  repository.lifecycle = nil
  entities.put(ctx, repository)
  return output
end

-- -- who may what with a repository -----------------------------------------------------------------------------------

local SIZE_LIMIT = 10240
local INVALID = "Invalid repository policy provided"
local FORM = {
  invalid = INVALID,
  needs = { { "Effect", INVALID }, { "Principal", INVALID }, { "Action", INVALID } },
  forbids = { Resource = INVALID },
  service = "ecr",
  foreign = INVALID,
}

local function policy_of(ctx, repository)
  if not repository.policy then
    fail(ctx, "RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name '%s' "
      .. "in the registry with id '%s'", repository.repositoryName, ctx.account)
  end
  return entities.answer(ctx, repository, {
    policyText = principals.render(ctx, repository.policy, repository.bindings),
  })
end

function operations.SetRepositoryPolicy(ctx, params)
  local repository, text = entities.named(ctx, params), params.policyText
  local document, problem = policy.parse(text, FORM)
  if not document or #text > SIZE_LIMIT then
    invalid(ctx, "PolicyText", problem or INVALID)
  end
  local bindings = principals.bind(ctx, document)
  if not bindings then
    invalid(ctx, "PolicyText", "Principal not found")
  end
  repository.policy, repository.bindings = json.encode(json.decode(text), { indent = true }), bindings
  entities.put(ctx, repository)
  return policy_of(ctx, repository)
end

function operations.GetRepositoryPolicy(ctx, params)
  return policy_of(ctx, entities.named(ctx, params))
end

function operations.DeleteRepositoryPolicy(ctx, params)
  local repository = entities.named(ctx, params)
  local output = policy_of(ctx, repository)
  repository.policy, repository.bindings = nil, nil
  entities.put(ctx, repository)
  return output
end

local LAMBDA_ACTIONS = { "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" }

local function lambda_may(ctx, document, action, function_arn)
  return policy.allows(document, {
    action = action,
    context = { ["aws:sourceaccount"] = ctx.account, ["aws:sourcearn"] = function_arn },
    principal = function(kind, value)
      return kind == "Service" and value == "lambda.amazonaws.com"
    end,
  })
end

--- Lets Lambda read the images of a repository for a function, unless its policy does: what Lambda itself does when a
--- function is given an image ("Amazon ECR permissions", Lambda Developer Guide).
function policies.allow_lambda(ctx, repository, function_arn)
  local document = repository.policy and policy.decode(repository.policy)
    or { Version = "2012-10-17", Statement = json.array {} }
  for _, action in ipairs(LAMBDA_ACTIONS) do
    if not lambda_may(ctx, document, action, function_arn) then
      table.insert(document.Statement, {
        Sid = "LambdaECRImageRetrievalPolicy",
        Effect = "Allow",
        Principal = { Service = "lambda.amazonaws.com" },
        Action = json.array(LAMBDA_ACTIONS),
        Condition = { StringLike = {
          ["aws:sourceArn"] = arns.of(ctx, "lambda", "function:*"),
        } },
      })
      repository.policy = json.encode(document, { indent = true })
      repository.bindings = repository.bindings or {}
      entities.put(ctx, repository)
      return
    end
  end
end

return policies
