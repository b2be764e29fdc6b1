resource "aws_iam_role" "checkout" {
  name               = "checkout"
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "ec2.amazonaws.com" },
        "Action": "sts:AssumeRole"
      }
    }
  JSON
  tags = { "team" = "checkout", Stage : "production" }
}

resource "aws_iam_instance_profile" "checkout" {
  role = aws_iam_role.checkout.id
  name = "checkout"
}

# The nightly job runs on instances and on Lambda.
data "aws_iam_policy_document" "nightly_trust" {
  version = "2012-10-17"

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      identifiers = ["lambda.amazonaws.com", "ec2.amazonaws.com"]
      type        = "Service"
    }
  }
}

resource "aws_iam_role" "nightly" {
  max_session_duration = 7200
  name                 = "checkout-nightly"
  path                 = "/jobs/"
  assume_role_policy   = data.aws_iam_policy_document.nightly_trust.json
}

resource "aws_iam_role" "lookup" {
  name = "lookup"
  path = "/vault/"

  assume_role_policy = <<EOT
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Vault",
      "Effect": "Allow",
      "Principal": { "AWS": ["arn:aws:iam::999999999999:role/hcp-vault"] },
      "Action": ["sts:AssumeRole"],
      "Condition": {
        "StringEquals": { "sts:ExternalId": "a-long-external-id" },
        "StringLike": { "aws:PrincipalOrgID": ["o-one", "o-two"] }
      }
    }
  ]
}
EOT
}

resource "aws_iam_role_policy" "lookup" {
  role   = aws_iam_role.lookup.name
  name   = "lookup"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iam:GetRole\",\"iam:GetInstanceProfile\"],\"Resource\":\"*\"}]}"
}
