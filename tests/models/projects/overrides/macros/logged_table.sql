{% materialization logged_table, default %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set existing = adapter.get_relation(this.database, this.schema, this.identifier) %}
    {% if execute and existing %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ get_create_table_as_sql(False, target_relation, sql) }}
    {%- endcall %}
    {% call statement('counted', fetch_result=True) %}
        select count(*) as n from {{ target_relation }}
    {% endcall %}
    {% set counted = load_result('counted') %}
    {% do log(this.name ~ ' has ' ~ counted['data'][0][0] ~ ' rows, ' ~ counted.table.columns[0].name, info=true) %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
