// The AWS SDK for Go 2: computers of Lightsail, and a session of Nimble Studio.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lightsail"
	"github.com/aws/aws-sdk-go-v2/service/nimble"
	"github.com/aws/smithy-go"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func equal(found, expected interface{}) {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		log.Fatalf("%v is not %v", found, expected)
	}
}

func code(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return fmt.Sprint(err)
}

func computers(ctx context.Context, client *lightsail.Client) {
	names := []string{}
	input := &lightsail.GetInstancesInput{}
	for {
		page, err := client.GetInstances(ctx, input)
		check(err)
		for _, instance := range page.Instances {
			names = append(names, *instance.Name)
		}
		if page.NextPageToken == nil {
			break
		}
		input.PageToken = page.NextPageToken
	}
	equal(names, "[my-computer second third]")

	started, err := client.StartInstance(ctx, &lightsail.StartInstanceInput{InstanceName: aws.String("third")})
	check(err)
	equal(started.Operations[0].OperationType, "StartInstance")

	_, err = client.GetInstance(ctx, &lightsail.GetInstanceInput{InstanceName: aws.String("nobody")})
	equal(code(err), "NotFoundException")
}

func streaming(ctx context.Context, client *nimble.Client) {
	studio := aws.String("studio-1")
	created, err := client.CreateStreamingSession(ctx, &nimble.CreateStreamingSessionInput{
		StudioId: studio, LaunchProfileId: aws.String("lp-1"), Ec2InstanceType: "g5.xlarge",
		Tags: map[string]string{"a": "b"},
	})
	check(err)
	equal(created.Session.State, "CREATE_IN_PROGRESS")
	equal(created.Session.Tags["a"], "b")

	read := &nimble.GetStreamingSessionInput{StudioId: studio, SessionId: created.Session.SessionId}
	ready := nimble.NewStreamingSessionReadyWaiter(client, func(o *nimble.StreamingSessionReadyWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	check(ready.Wait(ctx, read, 20*time.Second))

	_, err = client.DeleteStreamingSession(ctx, &nimble.DeleteStreamingSessionInput{
		StudioId: studio, SessionId: created.Session.SessionId,
	})
	check(err)
	deleted := nimble.NewStreamingSessionDeletedWaiter(client, func(o *nimble.StreamingSessionDeletedWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	check(deleted.Wait(ctx, read, 20*time.Second))
	_, err = client.GetStudio(ctx, &nimble.GetStudioInput{StudioId: aws.String("a/b c+é")})
	equal(code(err), "ResourceNotFoundException")
}

func main() {
	ctx := context.Background()
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	settings, err := config.LoadDefaultConfig(ctx)
	check(err)
	computers(ctx, lightsail.NewFromConfig(settings, func(o *lightsail.Options) {
		o.EndpointResolver = lightsail.EndpointResolverFromURL(endpoint)
	}))
	streaming(ctx, nimble.NewFromConfig(settings, func(o *nimble.Options) {
		o.EndpointResolver = nimble.EndpointResolverFromURL(endpoint)
	}))
}
