{% snapshot by_time %}
    {{ config(target_schema='main', unique_key='id', strategy='timestamp', updated_at='updated_at') }}
    select * from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_time_invalidated %}
    {{ config(target_schema='main', unique_key='id', strategy='timestamp', updated_at='updated_at', invalidate_hard_deletes=true) }}
    select * from {{ ref('people') }}
{% endsnapshot %}
