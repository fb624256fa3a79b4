# SPDX-License-Identifier: Apache-2.0
package bench

principal := data.entities[input.principal]

resource := data.entities[input.resource]

# The links that allow an action: those of its level and of every level above.
levels := ["reader", "triager", "writer", "maintainer", "admin", "owner"]

level_of := {
	"pull": 0, "fork": 0, "push": 2, "configure": 3, "addWriter": 4, "dropRepo": 4, "closeIssue": 1,
	"labelIssue": 1, "assignIssue": 1, "dropIssue": 3, "inviteMember": 5, "renameOrg": 5,
}

templates_of[action] contains template if {
	some action, level in level_of
	some i, template in levels
	i >= level
}

granted if {
	some who, _ in principal.in
	some what, _ in resource.in
	some template, _ in data.links[who][what]
	template in templates_of[input.action]
}

granted if {
	input.action == "closeIssue"
	resource.attrs.reporter == input.principal
}

archived if resource.attrs.archived

archived if data.entities[resource.attrs.repo].attrs.archived

denied if {
	archived
	not input.action in {"pull", "fork"}
}

default allow := false

allow if {
	granted
	not denied
}
