-- The status follows kstatus: Ready always, Reconciling and Stalled only while true, observedGeneration on top.
-- A service that serves is Healthy at any number of replicas, so that steps of an autoscaler and lost replicas, which
-- Degraded tells of, do not turn an application red.
local health = { status = "Progressing", message = "The operator has not looked at this service yet" }

local status = obj.status
if status == nil or status.conditions == nil then
  return health
end

if status.observedGeneration ~= obj.metadata.generation then
  health.message = "The operator has not looked at the latest change yet"
  return health
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end

local ready, stalled, degraded = conditions.Ready, conditions.Stalled, conditions.Degraded
if ready == nil then
  return health
end

health.message = ready.reason .. ": " .. ready.message
if ready.status == "True" then
  health.status = "Healthy"
  if degraded ~= nil and degraded.status == "True" then
    health.message = degraded.reason .. ": " .. degraded.message
  end
elseif stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
end
return health
