# SPDX-License-Identifier: Apache-2.0
package bench

principal := data.entities[input.principal]

resource := data.entities[input.resource]

# The group of a repository that an action takes.
group_of := {
	"pull": "readers", "fork": "readers", "push": "writers", "configure": "maintainers",
	"addWriter": "admins", "dropRepo": "admins", "closeIssue": "triagers", "labelIssue": "triagers",
	"assignIssue": "triagers", "dropIssue": "maintainers",
}

repo := resource if resource.type == "Repo"

repo := data.entities[resource.attrs.repo] if resource.type == "Issue"

granted if principal.in[repo.attrs[group_of[input.action]]]

granted if principal.in[data.entities[repo.attrs.org].attrs.owners]

granted if {
	input.action == "closeIssue"
	resource.attrs.reporter == input.principal
}

granted if {
	input.action in {"inviteMember", "renameOrg"}
	principal.in[resource.attrs.owners]
}

denied if {
	repo.attrs.archived
	not input.action in {"pull", "fork"}
}

default allow := false

allow if {
	granted
	not denied
}
