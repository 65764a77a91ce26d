-- How the records of a hosted zone are changed, by resources/route53_record and resources/acm_validation: one change
-- after the other, and each is known to all of Route 53's servers only after a while.

return {
  "ChangeResourceRecordSets", service = "route53", batch = "ChangeBatch.Changes",
  retry = { { "PriorRequestNotComplete", 300 } },
  settle = {
    "GetChange", service = "route53", id = "Id=ChangeInfo.Id", state = "ChangeInfo.Status", ready = { "INSYNC" },
    absent = { "NoSuchChange" }, typical = 35, limit = 1800,
  },
}
