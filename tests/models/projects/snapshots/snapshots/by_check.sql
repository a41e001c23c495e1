{% snapshot by_check %}
    {{ config(target_schema='main', unique_key='id', strategy='check', check_cols=['city', 'name']) }}
    select id, name, city from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_check_all %}
    {{ config(target_schema='main', unique_key="id || '-' || name", strategy='check', check_cols='all', hard_deletes='invalidate') }}
    select * from {{ ref('wider_people') }}
{% endsnapshot %}
